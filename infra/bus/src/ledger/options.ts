import type { EventStore } from '@bursar/event-store';
import type { Bus } from '../bus.js';
import type { Patience } from './watchdog.js';

export type ConsumeOptions = Readonly<{
  store: EventStore;
  bus: Bus;
  partition: number;
  /** The consumer's checkpoint: delivery begins at the position after it. */
  after: number;
  /** Aborting resolves the promise once the handler in progress is done. */
  signal: AbortSignal;
  /** Most events in one batch. */
  maxEvents: number;
  /** How often the store's head is asked for, should the bus be silent (RELIABILITY F10: at most 1 s when behind, 5 s idle). */
  pollMs: number;
  /**
   * When a consumer that is behind and shows no sign of life is revived, and when the process is given up. Default: RELIABILITY F15. Null:
   * never, for a handler that rightly waits as long as it takes.
   */
  patience?: Patience | null;
  /**
   * Least time between two batches, for who can wait: what comes meanwhile is confirmed and handed over together. The first after a quiet
   * time comes at once. Default 0.
   */
  gatherMs?: number;
}>;

/** Which types of events a handler has any use for; all others are passed over unread, with their positions. Default: all. */
export type Wanting = Readonly<{ wants?: (type: string) => boolean }>;

/** `last` is the position of the last event, also of one that was passed over: the next checkpoint. */
export type Batch<E> = Readonly<{ events: readonly E[]; last: number }>;
