import type { z } from 'zod';
import type { StreamFacts } from '../streams.js';

/** One kind of message on a channel. */
export type BusMessage = Readonly<{
  /** Unique in the document, camelCase. */
  name: string;
  summary: string;
  contentType: string;
  headers: z.ZodType;
  payload: z.ZodType;
  examples?: readonly Readonly<{ name: string; payload: unknown }>[];
}>;

/** How a stream keeps what is published on a channel. */
export type Kept = Readonly<{
  stream: StreamFacts;
  /** What `Nats-Msg-Id` is made of: the same message again within the stream's window is stored once. */
  messageId: string;
  /** Which messages come in which order, and how often. */
  ordering: string;
}>;

/**
 * A subject of ours, complete: what may be published there or asked, and what becomes of it. As the table of routes is for HTTP.
 * `action` is Bursar's: it receives what others publish, or sends what others subscribe to.
 */
export type Channel = Readonly<{
  /** Unique in the document, camelCase. */
  id: string;
  /** The subject, with `{name}` for parameters. */
  address: string;
  summary: string;
  description?: string;
  action: 'receive' | 'send';
  operationId: string;
  messages: readonly BusMessage[];
  /** Absent: core NATS, nothing is kept. */
  kept?: Kept;
  /** Request-reply: what comes back on the request's reply subject. */
  reply?: Readonly<{ id: string; summary: string; messages: readonly BusMessage[] }>;
  /** Replicas that answer share this queue group. */
  queue?: string;
  /** Not built yet: the step that brings it. */
  coming?: string;
}>;

/** What the parameters of an address are. */
export const PARAMETERS: Readonly<Record<string, string>> = {
  tenant: 'A tenant id, `[A-Za-z0-9_-]{1,64}`',
  partition: 'A number from 0 to P − 1 (16 partitions unless chosen otherwise): FNV-1a-32(tenant) mod P',
  severity: '`info`, `warning` or `critical`',
  scopeType: 'Type of the budget’s scope, `[a-z][a-z0-9_-]{0,31}`',
  scopeToken: 'Id of the budget’s scope where it is subject-safe, else `=` and its base64url',
  budgetId: 'The budget’s id',
};
