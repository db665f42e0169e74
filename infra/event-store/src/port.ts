import type { EventMeta } from '@bursar/contracts';

/** An event about to be appended. `data` and `meta` are the exact JSON texts that will be stored and hashed. */
export type EventToAppend = Readonly<{
  /** UUID; appending an id twice answers `duplicate` for ever, with another `contentHash` `conflict`. */
  id: string;
  type: string;
  version: number;
  data: string;
  meta: string;
  /** SHA-256, 32 bytes, over the event as sent, before defaults and rating. */
  contentHash: Uint8Array;
}>;

/** `any`: no expectation; `none`: the stream must not exist; a number: its last revision (the first event has revision 0). */
export type ExpectedRevision = 'any' | 'none' | number;

/** One atomic unit: all of its events that are new are stored together, or none. */
export type AppendRequest = Readonly<{
  partition: number;
  stream: string;
  events: readonly EventToAppend[];
  expectedRevision: ExpectedRevision;
}>;

export type EventOutcome =
  /** Stored by this append, or long ago with equal content: where it is. */
  | Readonly<{ status: 'accepted' | 'duplicate'; position: number; revision: number }>
  /**
   * Its id is taken by another content, at that position. Or, in a unit with a numeric or `none` expectation, that of another event of
   * the unit is, so that this one is not stored either (position 0: two events of the unit itself clash).
   */
  | Readonly<{ status: 'conflict'; position: number }>;

export type AppendResult =
  /** In request order. With a numeric or `none` expectation a `conflict` stores nothing of the unit. */
  | Readonly<{
      ok: true;
      outcomes: readonly EventOutcome[];
      /** The partition's head after this unit. */
      head: number;
      /** The stream's last revision after it; -1 when it does not exist. */
      revision: number;
    }>
  /** The expectation did not hold. Ids are looked up first: a retry of what was stored is `duplicate`, never this. */
  | Readonly<{ ok: false; reason: 'wrong_expected_revision'; revision: number }>;

/** One stored event, texts untouched. */
export type StoredEvent = Readonly<{
  partition: number;
  /** Dense in the partition, from 1, in commit order. */
  position: number;
  stream: string;
  /** Gap-free in the stream, from 0. */
  revision: number;
  id: string;
  type: string;
  version: number;
  data: string;
  meta: string;
  /** As given when it was appended; part of what the chain is over. */
  contentHash: Uint8Array;
  /** RFC 3339, UTC, six fraction digits: max(database clock, last of the partition). */
  recordedAt: string;
}>;

/** Where an id is stored, and the hash its content had as sent. */
export type KnownEvent = Readonly<{ position: number; revision: number; contentHash: Uint8Array }>;

/** What one append transaction stored in a partition: consecutive positions and the hash chain's link at the last one. */
export type AppendedRange = Readonly<{ partition: number; first: number; last: number; link: Uint8Array; events: readonly StoredEvent[] }>;

/** What a reader has no use for: events of these types, each up to a version. What a newer release writes is not among them. */
export type PassedOver = ReadonlyMap<string, number>;

/** A stretch of a partition, without what was passed over. */
export type Selection = Readonly<{
  /** In order; every one in (`after`, `through`] that was not passed over. */
  events: readonly StoredEvent[];
  /** So far was looked, and nothing will ever appear at or before it. Never before `after`. */
  through: number;
  /** The partition's head as it was then. */
  head: number;
}>;

export type PartitionHead = Readonly<{ partition: number; position: number; link: Uint8Array; recordedAt: string | null }>;

/** The store did not answer in time or broke: whether the append took effect is unknown. Safe to retry with the same ids. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** Too many appends wait: nothing was stored, come back later (RELIABILITY F44). */
export class StoreOverloadedError extends Error {
  override readonly name = 'StoreOverloadedError';
}

/** The store may not be opened like this: unsafe server settings, another number of partitions, a newer schema. Says why. */
export class StoreRefusedError extends Error {
  override readonly name = 'StoreRefusedError';
}

/**
 * The only truth. Positions are dense per partition and in commit order; revisions gap-free per stream; ids unique per partition
 * for ever (a tenant, hence an id, never leaves its partition). Every adapter passes the one conformance suite.
 */
export abstract class EventStore {
  /** P, fixed at installation. */
  abstract readonly partitions: number;

  /** Group-commits with what else waits for the partition. Throws {@link StoreUnavailableError} or {@link StoreOverloadedError}. */
  abstract append(request: AppendRequest): Promise<AppendResult>;

  /** Events of one stream from a revision on (inclusive), oldest first, at most `limit` (and at most ~4 MB of data). Empty when there is none. */
  abstract readStream(stream: string, fromRevision: number, limit: number): Promise<readonly StoredEvent[]>;

  /** Events of one stream at or before a revision, newest first, at most `limit` (and at most ~4 MB of data). Empty when there is none. */
  abstract readStreamBackwards(stream: string, fromRevision: number, limit: number): Promise<readonly StoredEvent[]>;

  /** The last revision of each stream, -1 where it does not exist, in one indexed read. */
  abstract revisions(streams: readonly string[]): Promise<readonly number[]>;

  /** Events of a partition with position > `after`, in order, without holes, at most `limit` (and at most ~4 MB of data). */
  abstract readPartition(partition: number, after: number, limit: number): Promise<readonly StoredEvent[]>;

  /**
   * Events at these positions of a partition, in order, at most ~4 MB of data: there may be more after the last. Absent ones are absent. `containing`: only
   * those whose data contain one of these texts.
   */
  abstract readAt(partition: number, positions: readonly number[], containing?: readonly string[]): Promise<readonly StoredEvent[]>;

  /**
   * As {@link readPartition}, for who has no use for most of it: events passed over are neither sent nor is their data read, and
   * `through` says how far that goes. At most `limit` events (and at most ~4 MB of data), and so many positions as one look is worth:
   * there is more while `through` is before `head`.
   */
  abstract selectPartition(partition: number, after: number, passedOver: PassedOver, limit: number): Promise<Selection>;

  /** Where each of these ids is stored in the partition, and with which content; absent ids are absent from the map. */
  abstract lookup(partition: number, ids: readonly string[]): Promise<ReadonlyMap<string, KnownEvent>>;

  /** When the events at these positions of a partition were recorded, in the order asked for and without reading them; null where there is none. */
  abstract recordedTimes(partition: number, positions: readonly number[]): Promise<readonly (string | null)[]>;

  /** Every partition's head: position 0 while it is empty. */
  abstract heads(): Promise<readonly PartitionHead[]>;

  /**
   * A partition's head as read under its lock: what is appended from here on is recorded after it, and what was being appended is in.
   * So whatever comes later has a `recordedAt` at or after the moment of this call.
   */
  abstract settledHead(partition: number): Promise<number>;

  /** The chain's link at a position that ended an append; null elsewhere. */
  abstract linkAt(partition: number, position: number): Promise<Uint8Array | null>;

  /** Positions in (`after`, `through`] that ended an append, ascending. */
  abstract appendEnds(partition: number, after: number, through: number): Promise<readonly number[]>;

  /**
   * Delivers a partition's events after a position, in order, from polling and from {@link wake}; awaits the handler.
   * Resolves when the signal aborts; rejects when the handler does.
   */
  abstract subscribe(
    options: Readonly<{ partition: number; after: number; batch: number; pollMs: number; signal: AbortSignal }>,
    handler: (events: readonly StoredEvent[]) => Promise<void>,
  ): Promise<void>;

  /** Something was appended to the partition (a hint from the bus): subscribers look at once. */
  abstract wake(partition: number): void;

  /** Called after each commit with what it stored, from the copy in memory. Listeners must not throw. */
  abstract onAppended(listener: (range: AppendedRange) => void): void;

  /** Recomputes the chain of a partition from the stored bytes: null when it holds, else the first position that does not. */
  abstract verify(partition: number): Promise<Readonly<{ position: number; reason: string }> | null>;

  /** The database's clock, epoch milliseconds (fractional). */
  abstract clock(): Promise<number>;

  /** Lets accepted appends finish and refuses new ones. May be called again. */
  abstract close(): Promise<void>;
}

/** Parses the meta text of a stored event. */
export const metaOf = (event: Pick<StoredEvent, 'meta'>): EventMeta => JSON.parse(event.meta) as EventMeta;
