import type { EpochNs, LedgerEvent } from '@bursar/contracts';
import type { Correction, ThresholdState } from '@bursar/contracts/folds';
import type { LeaseKey } from '@bursar/leases';
import type { PriceCorrection } from '../domain/changes.js';
import type { Emitted } from '../domain/emitted.js';
import type { Hold } from '../domain/holds/hold.js';
import type { Sums } from '../domain/sums.js';
import type { Waiting } from '../domain/waiting.js';
import type { BreakdownBatch, CommitBatch } from './batches.js';
import type { Expiring } from './hold-rows.js';

/** The two projections of this service; each has its own checkpoint per partition. */
export type Projection = 'budget' | 'breakdown';

/** How far a projection is committed, and in whose epoch. Only who took the partition last can move it. */
export type Fence = Readonly<{ projection: Projection; partition: number; position: number; epoch: number }>;

/** The checkpoint was moved, or taken, by someone else: nothing was written. Drop the state. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
  constructor(readonly fence: Fence) {
    super(`${fence.projection} of partition ${fence.partition} was taken over at position ${fence.position}`);
  }
}

/** The tables cannot hold a value (SQLSTATE 22, 23): trying again is of no use. `message` names the rule, not the value. */
export class DataRefusedError extends Error {
  override readonly name = 'DataRefusedError';
}

/** A period as the tables hold it; `sums` null when only its thresholds have rows. */
export type StoredPeriod = Readonly<{
  start: EpochNs;
  sums: Sums | null;
  position: number;
  updatedAt: string;
  thresholds: ReadonlyMap<string, ThresholdState>;
}>;

export type HoldKey = Readonly<{ tenant: string; reservationId: string }>;

/** The projection's tables: what the fold loads, and the one transaction that writes. Faults of the database surface as they are. */
export abstract class ProjectionTables {
  /**
   * Raises the epoch, so that commits of an earlier owner hit no row; answers where to go on. Only for who has the lease: else throws
   * `LeaseLostError`, and the epoch stays.
   */
  abstract take(projection: Projection, lease: LeaseKey): Promise<Fence>;

  /** A tenant's definition events after a position, in order. */
  abstract definitions(tenant: string, after: number, limit: number): Promise<readonly LedgerEvent[]>;

  /** Of each live budget, from which position its thresholds are decided; null while it is being counted. */
  abstract counted(tenant: string): Promise<ReadonlyMap<string, number | null>>;

  /** In the order asked for; null where there is no row. */
  abstract periods(
    tenant: string,
    keys: readonly Readonly<{ budgetId: string; start: EpochNs }>[],
  ): Promise<readonly (StoredPeriod | null)[]>;

  /** The budget's periods with rows that end after the instant. */
  abstract periodsEndingAfter(tenant: string, budgetId: string, instant: EpochNs): Promise<readonly StoredPeriod[]>;

  /** Waiting usage after a position, in order. */
  abstract waiting(
    projection: Projection,
    tenant: string,
    reason: Waiting['reason'],
    after: number,
    limit: number,
  ): Promise<readonly Waiting[]>;

  /** Ids of the reservations that usage at these positions was the first to settle; absent: it settled none. */
  abstract settled(tenant: string, positions: readonly number[]): Promise<ReadonlyMap<number, string>>;

  /** What was said of the usage at these positions; what stands as it was recorded is absent. */
  abstract corrections(tenant: string, positions: readonly number[]): Promise<ReadonlyMap<number, readonly Correction[]>>;

  /** The budgets that lack the events at these positions, because they were set aside; null: all of the tenant do. Absent: none does. */
  abstract setAside(partition: number, positions: readonly number[]): Promise<ReadonlyMap<number, ReadonlySet<string> | null>>;

  /** Corrections of prices, of all tenants, whose usage is not all rerated yet; in order. */
  abstract priceCorrections(): Promise<readonly PriceCorrection[]>;

  /** Budgets of the tenant that lack an event that was set aside; null among them: all of them do. */
  abstract incomplete(tenant: string): Promise<readonly (string | null)[]>;

  /** Live budgets whose past is not counted yet, of all tenants. */
  abstract counting(): Promise<readonly Readonly<{ tenant: string; budgetId: string }>[]>;

  /** A tenant's open holds. */
  abstract openHolds(tenant: string): Promise<readonly Hold[]>;

  /** Those of these reservations that have a row, open or closed, in one read. */
  abstract holds(keys: readonly HoldKey[]): Promise<readonly Hold[]>;

  /** What these ids of a tenant stand for: as {@link holds}, and what is held as it was granted. */
  abstract holdsNamed(tenant: string, reservationIds: readonly string[]): Promise<readonly Hold[]>;

  /** Every open hold of a partition. */
  abstract expiring(partition: number): Promise<readonly Expiring[]>;

  /** One transaction, guarded by the fence; answers the next fence. Throws {@link FencedError}. */
  abstract commit(fence: Fence, batch: CommitBatch): Promise<Fence>;

  /** As {@link commit}, for the breakdown's tables. */
  abstract commitBreakdown(fence: Fence, batch: BreakdownBatch): Promise<Fence>;

  /** Emitted events that may not have reached the store, in order. */
  abstract outbox(partition: number): Promise<readonly Emitted[]>;

  /** They are in the store: forget them. */
  abstract sent(partition: number, ids: readonly string[]): Promise<void>;
}
