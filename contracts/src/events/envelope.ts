import type { z } from 'zod';

/** What travels beside an event's data: who, why and in which trace. Never part of the content hash. */
export type EventMeta = Readonly<{
  tenant: string;
  /** Who asked: a key's id, `user:…`, or the service that emitted it. */
  actor?: string;
  /** How it came in: `http`, `nats`, `projector` … */
  via?: string;
  correlationId?: string;
  /** The id of the event or request that caused this one. */
  causationId?: string;
  /** W3C Trace Context of what caused it, `tracestate` only beside `traceparent`. */
  traceparent?: string;
  tracestate?: string;
}>;

/** An event type at its newest version, with the schema of its data and the upcasters from every older version. */
export type EventDefinition<T extends string = string, S extends z.ZodType = z.ZodType> = Readonly<{
  type: T;
  version: number;
  data: S;
  /** upcasters[n] turns data of version n into version n + 1. */
  upcasters: Readonly<Record<number, (data: never) => unknown>>;
}>;

export const defineEvent = <T extends string, S extends z.ZodType>(
  type: T,
  version: number,
  data: S,
  upcasters: Readonly<Record<number, (data: never) => unknown>> = {},
): EventDefinition<T, S> => ({ type, version, data, upcasters });

/** One event as a fold sees it: its place, its clock, and its data at the newest version. */
export type Recorded<T extends string = string, D = unknown> = Readonly<{
  partition: number;
  position: number;
  stream: string;
  revision: number;
  id: string;
  type: T;
  /** RFC 3339, UTC, microseconds: the store's clock, never decreasing in a partition. */
  recordedAt: string;
  meta: EventMeta;
  data: D;
}>;
