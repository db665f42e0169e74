import type { EpochNs, LedgerEvent } from '@bursar/contracts';
import type { Correction } from '@bursar/contracts/folds';
import { type Database, usageCorrections } from '@bursar/database';
import type { EventStore } from '@bursar/event-store';
import { type LeaseKey, LeaseLostError } from '@bursar/leases';
import { Reservations } from '@bursar/reservations';
import { type Kysely, sql } from 'kysely';
import type { PriceCorrection } from '../../domain/changes.js';
import type { Emitted } from '../../domain/emitted.js';
import type { Hold } from '../../domain/holds/hold.js';
import { readWaiting, type Waiting } from '../../domain/waiting.js';
import type { BreakdownBatch, CommitBatch } from '../../features/batches.js';
import type { Expiring } from '../../features/hold-rows.js';
import {
  DataRefusedError,
  type Fence,
  type HoldKey,
  type Projection,
  ProjectionTables,
  type StoredPeriod,
} from '../../features/projection-tables.js';
import { advance } from './advance.js';
import { changeGroups, StoredHolds, writeHolds, writeSettlements } from './holds.js';
import { readDefinitions, readPeriods, readPeriodsEndingAfter } from './read-state.js';
import { writeCorrections, writePriceCorrections } from './usage-corrections.js';
import { forgetBalances, writeLate, writeThresholds } from './write-balances.js';
import { writeBudgets, writeCounted, writeDefinitions } from './write-definitions.js';
import { addWaiting, removeWaiting, replaceWaiting, writeCrossings, writeOutbox, writeQuarantine } from './write-records.js';
import { advanceWithRollups } from './write-rollups.js';
import { writeMentions, writeScopes } from './write-scopes.js';

/** The tables of `projection.*` in PostgreSQL, with what the ledger says of the reservations in them. */
export class SqlProjectionTables extends ProjectionTables {
  readonly #holds: StoredHolds;

  /** @param store the ledger, which says what was granted */
  constructor(
    private readonly db: Kysely<Database>,
    store: Pick<EventStore, 'readAt' | 'partitions'>,
  ) {
    super();
    this.#holds = new StoredHolds(db, new Reservations(store));
  }

  async take(projection: Projection, lease: LeaseKey): Promise<Fence> {
    const { partition, owner, epoch } = lease;
    // Locked, so that whoever takes the lease over raises the epoch after us, not before.
    const { rows } = await sql<{ position: number; epoch: number }>`
      WITH held AS (
        SELECT partition FROM projection.lease WHERE consumer = 'budget' AND partition = ${partition} AND owner = ${owner} AND epoch = ${epoch} FOR SHARE
      )
      INSERT INTO projection.checkpoint AS checkpoint (projection, partition, position, epoch)
      SELECT ${projection}, partition, 0, 1 FROM held
      ON CONFLICT (projection, partition) DO UPDATE SET epoch = checkpoint.epoch + 1
      RETURNING position, epoch`.execute(this.db);
    const [taken] = rows;
    if (taken === undefined) throw new LeaseLostError(lease);
    return { projection, partition, ...taken };
  }

  definitions(tenant: string, after: number, limit: number): Promise<readonly LedgerEvent[]> {
    return readDefinitions(this.db, tenant, after, limit);
  }

  async counted(tenant: string): Promise<ReadonlyMap<string, number | null>> {
    const rows = await this.db
      .selectFrom('projection.budget')
      .select(['budget_id', 'counted_position'])
      .where('tenant', '=', tenant)
      .where('deleted', '=', false)
      .execute();
    return new Map(rows.map(({ budget_id, counted_position }) => [budget_id, counted_position]));
  }

  async periods(
    tenant: string,
    keys: readonly Readonly<{ budgetId: string; start: EpochNs }>[],
  ): Promise<readonly (StoredPeriod | null)[]> {
    return keys.length === 0 ? [] : readPeriods(this.db, tenant, keys);
  }

  periodsEndingAfter(tenant: string, budgetId: string, instant: EpochNs): Promise<readonly StoredPeriod[]> {
    return readPeriodsEndingAfter(this.db, tenant, budgetId, instant);
  }

  async waiting(
    projection: Projection,
    tenant: string,
    reason: Waiting['reason'],
    after: number,
    limit: number,
  ): Promise<readonly Waiting[]> {
    const rows = await this.db
      .selectFrom('projection.waiting')
      .select(['position', 'budget_ids', 'event'])
      .where('projection', '=', projection)
      .where('tenant', '=', tenant)
      .where('position', '>', after)
      .where('reason', '=', reason)
      .orderBy('position')
      .limit(limit)
      .execute();
    return rows.map(({ position, budget_ids, event }) => readWaiting({ tenant, position, reason, budgetIds: budget_ids, text: event }));
  }

  settled(tenant: string, positions: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return this.#holds.settled(tenant, positions);
  }

  corrections(tenant: string, positions: readonly number[]): Promise<ReadonlyMap<number, readonly Correction[]>> {
    return usageCorrections(this.db, tenant, positions);
  }

  async setAside(partition: number, positions: readonly number[]): Promise<ReadonlyMap<number, ReadonlySet<string> | null>> {
    const rows = await this.db
      .selectFrom('projection.quarantine')
      .select(['position', 'budget_ids'])
      .where('projection', '=', 'budget')
      .where('partition', '=', partition)
      .where('position', '=', sql<number>`ANY (${positions}::bigint[])`)
      .execute();
    return new Map(rows.map(({ position, budget_ids }) => [position, budget_ids === null ? null : new Set(budget_ids)]));
  }

  async priceCorrections(): Promise<readonly PriceCorrection[]> {
    const rows = await this.db.selectFrom('projection.price_correction').selectAll().orderBy('position').execute();
    return rows.map(({ tenant, correction_id, list_id, position }) => ({ tenant, correctionId: correction_id, listId: list_id, position }));
  }

  async incomplete(tenant: string): Promise<readonly (string | null)[]> {
    const rows = await this.db
      .selectFrom('projection.quarantine')
      .select('budget_ids')
      .where('projection', '=', 'budget')
      .where('tenant', '=', tenant)
      .execute();
    return rows.flatMap(({ budget_ids }): readonly (string | null)[] => budget_ids ?? [null]);
  }

  async counting(): Promise<readonly Readonly<{ tenant: string; budgetId: string }>[]> {
    const rows = await this.db
      .selectFrom('projection.budget')
      .select(['tenant', 'budget_id'])
      .where('deleted', '=', false)
      .where('counted_position', 'is', null)
      .execute();
    return rows.map(({ tenant, budget_id }) => ({ tenant, budgetId: budget_id }));
  }

  openHolds(tenant: string): Promise<readonly Hold[]> {
    return this.#holds.open(tenant);
  }

  holds(keys: readonly HoldKey[]): Promise<readonly Hold[]> {
    return this.#holds.under(keys);
  }

  holdsNamed(tenant: string, reservationIds: readonly string[]): Promise<readonly Hold[]> {
    return this.#holds.named(tenant, reservationIds);
  }

  expiring(partition: number): Promise<readonly Expiring[]> {
    return this.#holds.expiring(partition);
  }

  commit(fence: Fence, batch: CommitBatch): Promise<Fence> {
    return refusals(async () => {
      if (isPlain(batch)) return advance(this.db, fence, batch.position, batch);
      return this.db.transaction().execute((trx) => writeAll(trx, fence, batch));
    });
  }

  commitBreakdown(fence: Fence, batch: BreakdownBatch): Promise<Fence> {
    return refusals(() =>
      this.db.transaction().execute(async (trx) => {
        const next = await advanceWithRollups(trx, fence, batch.position, batch.rollups);
        await addWaiting(trx, 'breakdown', batch.waiting);
        await removeWaiting(trx, 'breakdown', batch.settled);
        await writeQuarantine(trx, 'breakdown', fence.partition, batch.quarantined);
        return next;
      }),
    );
  }

  async outbox(partition: number): Promise<readonly Emitted[]> {
    return this.db
      .selectFrom('projection.outbox')
      .select(['stream', 'id', 'type', 'version', 'data', 'meta'])
      .where('partition', '=', partition)
      .orderBy('sequence')
      .execute();
  }

  async sent(partition: number, ids: readonly string[]): Promise<void> {
    await sql`DELETE FROM projection.outbox WHERE partition = ${partition} AND id = ANY (${ids}::uuid[])`.execute(this.db);
  }
}

const writeAll = async (trx: Kysely<Database>, fence: Fence, batch: CommitBatch): Promise<Fence> => {
  const { partition } = fence;
  // The fence first: who has lost the partition reads and deletes nothing.
  const isRecounted = batch.recounted.length > 0;
  let next = await advance(trx, fence, batch.position, isRecounted ? { balances: [], holdGroups: [], reserved: [] } : batch);
  if (isRecounted) {
    await forgetBalances(trx, batch.recounted);
    next = await advance(trx, next, batch.position, batch);
  }
  await writeLate(trx, partition, batch.late);
  await writeThresholds(trx, batch.thresholds);
  await writeDefinitions(trx, batch.definitions);
  await writeScopes(trx, batch.scopes);
  await writeBudgets(trx, batch.budgets);
  await writeMentions(trx, batch);
  await writeCounted(trx, batch.counted);
  await writeCrossings(trx, batch);
  await addWaiting(trx, 'budget', batch.waiting);
  await replaceWaiting(trx, 'budget', batch.stillWaiting);
  await removeWaiting(trx, 'budget', batch.settled);
  await writeCorrections(trx, batch.corrected);
  await writePriceCorrections(trx, batch);
  await writeHolds(trx, batch.holds);
  await changeGroups(trx, batch.changedHoldGroups);
  await writeSettlements(trx, batch.settlements);
  await writeOutbox(trx, partition, batch.emitted);
  await writeQuarantine(trx, 'budget', partition, batch.quarantined);
  return next;
};

/** {@link advance} writes all of it. */
const isPlain = ({ position, events, balances, holdGroups, reserved, ...rest }: CommitBatch): boolean =>
  Object.values(rest).every((rows) => rows.length === 0);

/** SQLSTATE classes 22 (data) and 23 (constraints): what no retry cures. */
const refusals = async <T>(write: () => Promise<T>): Promise<T> => {
  try {
    return await write();
  } catch (error) {
    const { code, constraint } = error as { code?: unknown; constraint?: unknown };
    if (typeof code !== 'string' || !/^2[23]/.test(code)) throw error;
    const rule = typeof constraint === 'string' ? ` (${constraint})` : '';
    throw new DataRefusedError(`the tables refused it: SQLSTATE ${code}${rule}`, { cause: error });
  }
};
