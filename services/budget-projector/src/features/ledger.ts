import type { LedgerEvent } from '@bursar/contracts';
import type { CorrectingEvent } from '@bursar/contracts/folds';
import type { Emitted } from '../domain/emitted.js';

/** An event that cannot be read at all: it is set aside, and the partition goes on (RELIABILITY F18). */
export type Unreadable = Readonly<{ unreadable: string; position: number; tenant: string | null }>;
export type LedgerItem = LedgerEvent | Unreadable;

export const isUnreadable = (item: LedgerItem): item is Unreadable => 'unreadable' in item;

export type FollowOptions = Readonly<{ partition: number; after: number; maxEvents: number; signal: AbortSignal }>;

export const isCorrection = (event: LedgerEvent): event is CorrectingEvent => event.type === 'UsageVoided' || event.type === 'UsageRerated';

/** Who takes a partition, in which epoch of its checkpoint. */
export type Taken = Readonly<{ owner: string; epoch: number }>;

/** One group of decisions: `data` is the canonical JSON of the event. */
export type HoldsAppend = Readonly<{ id: string; data: string; expectedRevision: number }>;
export type Appended = Readonly<{ position: number; revision: number }>;

/** The stream of holds is another owner's. */
export class HoldsRefusedError extends Error {
  override readonly name = 'HoldsRefusedError';
}

/** The ledger as the loops see it. */
export abstract class Ledger {
  abstract readonly partitions: number;

  /**
   * Delivers positions after + 1, after + 2, … in order. Resolves when the signal aborts; rejects when the handler does, and with
   * `UnknownEventError` once everything before an event of a newer release was handed over. A handler that takes its time says that it
   * goes on with `alive`.
   */
  abstract follow(options: FollowOptions, handler: (items: readonly LedgerItem[], alive: () => void) => Promise<void>): Promise<void>;

  /** Positions after + 1 … after + limit, as far as the store goes (and at least one, when there is one). Throws `UnknownEventError`. */
  abstract read(partition: number, after: number, limit: number): Promise<readonly LedgerItem[]>;

  abstract head(partition: number): Promise<number>;

  /** The head, read so that whatever is appended after it is recorded at or after the moment of this call. */
  abstract settledHead(partition: number): Promise<number>;

  /** Position of a tenant's first usage; null when there is none. */
  abstract firstUsage(tenant: string): Promise<number | null>;

  /** A tenant's usage in order, from a revision on. */
  abstract usage(tenant: string, fromRevision: number, limit: number): Promise<readonly LedgerItem[]>;

  /**
   * Appends `PartitionTaken` at the revision that the stream of holds has: what an earlier owner still sends to it at an older one is
   * refused from here on. Answers its revision: what this owner appends next expects it.
   */
  abstract takePartition(partition: number, taken: Taken): Promise<number>;

  /**
   * Appends `HoldsChanged` at the revision expected. Throws {@link HoldsRefusedError} when another has the stream by now, and whatever the
   * store throws when the outcome is not known.
   */
  abstract appendHolds(partition: number, appended: HoldsAppend): Promise<Appended>;

  /** Appends one unit to one stream, idempotent by event id. */
  abstract append(partition: number, stream: string, events: readonly Emitted[]): Promise<void>;
}
