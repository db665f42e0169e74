import { type EpochNs, formatInstant, type LedgerEvent, parseInstant, parsePicos } from '@bursar/contracts';
import type { Correction, ThresholdState } from '@bursar/contracts/folds';
import type { LeaseKey } from '@bursar/leases';
import type { Corrected, Crossing, PriceCorrection, Quarantined } from '../../src/domain/changes.js';
import type { Emitted } from '../../src/domain/emitted.js';
import type { Hold } from '../../src/domain/holds/hold.js';
import { readWaiting, type Waiting } from '../../src/domain/waiting.js';
import type { BalanceRow, BreakdownBatch, CommitBatch, LateRow, ThresholdRow, WaitingRow } from '../../src/features/batches.js';
import type { Expiring } from '../../src/features/hold-rows.js';
import {
  type Fence,
  FencedError,
  type HoldKey,
  type Projection,
  ProjectionTables,
  type StoredPeriod,
} from '../../src/features/projection-tables.js';
import { key } from './memory-key.js';
import { MemoryReservations } from './memory-reservations.js';

type Checkpoint = { position: number; epoch: number };
type CrossingRow = Crossing & { position: number | null; clearedAt: string | null };

/** What the tables of PostgreSQL hold, in maps. */
export class MemoryTables extends ProjectionTables {
  readonly checkpoints = new Map<string, Checkpoint>();
  readonly balances = new Map<string, BalanceRow>();
  readonly late = new Map<string, LateRow>();
  readonly thresholds = new Map<string, ThresholdRow>();
  readonly definitionEvents: LedgerEvent[] = [];
  readonly scopes = new Map<string, unknown>();
  readonly budgets = new Map<string, { tenant: string; budgetId: string; row: unknown; deleted: boolean; counted: number | null }>();
  readonly crossings = new Map<string, CrossingRow>();
  readonly waitingRows = new Map<string, WaitingRow & { projection: Projection }>();
  readonly correctionRows = new Map<string, Corrected>();
  readonly priceCorrectionRows = new Map<string, PriceCorrection>();
  readonly quarantined = new Map<string, Quarantined>();
  readonly rollups = new Map<string, { spend: bigint; events: number; unpriced: number; input: bigint; output: bigint }>();
  readonly reservations = new MemoryReservations();
  outboxRows: Emitted[] = [];

  async take(projection: Projection, { partition }: LeaseKey): Promise<Fence> {
    const known = this.checkpoints.get(key(projection, partition)) ?? { position: 0, epoch: 0 };
    const taken = { position: known.position, epoch: known.epoch + 1 };
    this.checkpoints.set(key(projection, partition), taken);
    return { projection, partition, ...taken };
  }

  async definitions(tenant: string, after: number, limit: number): Promise<readonly LedgerEvent[]> {
    return this.definitionEvents.filter((event) => event.meta.tenant === tenant && event.position > after).slice(0, limit);
  }

  async counted(tenant: string): Promise<ReadonlyMap<string, number | null>> {
    const live = [...this.budgets.values()].filter((budget) => budget.tenant === tenant && !budget.deleted);
    return new Map(live.map(({ budgetId, counted }) => [budgetId, counted]));
  }

  async periods(
    tenant: string,
    keys: readonly Readonly<{ budgetId: string; start: EpochNs }>[],
  ): Promise<readonly (StoredPeriod | null)[]> {
    return keys.map(({ budgetId, start }) => this.#period(tenant, budgetId, formatInstant(start)));
  }

  async periodsEndingAfter(tenant: string, budgetId: string, instant: EpochNs): Promise<readonly StoredPeriod[]> {
    const ofBudget = <R extends BalanceRow | ThresholdRow>(rows: Iterable<R>): readonly R[] =>
      [...rows].filter((row) => row.tenant === tenant && row.budgetId === budgetId);
    const balances = ofBudget(this.balances.values()).filter(({ periodEnd }) => parseInstant(periodEnd) > instant);
    const starts = new Set([...balances, ...ofBudget(this.thresholds.values())].map(({ periodStart }) => periodStart));
    return [...starts].sort().flatMap((start) => this.#period(tenant, budgetId, start) ?? []);
  }

  async waiting(
    projection: Projection,
    tenant: string,
    reason: Waiting['reason'],
    after: number,
    limit: number,
  ): Promise<readonly Waiting[]> {
    return [...this.waitingRows.values()]
      .filter((row) => row.projection === projection && row.tenant === tenant && row.reason === reason && row.position > after)
      .sort((a, b) => a.position - b.position)
      .slice(0, limit)
      .map((row) => readWaiting({ ...row, text: row.event }));
  }

  async settled(tenant: string, positions: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return this.reservations.settled(tenant, positions);
  }

  async corrections(tenant: string, positions: readonly number[]): Promise<ReadonlyMap<number, readonly Correction[]>> {
    const found = new Map<number, Correction[]>();
    for (const { tenant: of, position, correction } of this.correctionRows.values()) {
      if (of === tenant && positions.includes(position)) found.set(position, [...(found.get(position) ?? []), correction]);
    }
    return found;
  }

  async setAside(_partition: number, positions: readonly number[]): Promise<ReadonlyMap<number, ReadonlySet<string> | null>> {
    const rows = positions.flatMap((position) => this.quarantined.get(key('budget', position)) ?? []);
    return new Map(rows.map(({ position, budgetIds }) => [position, budgetIds === null ? null : new Set(budgetIds)]));
  }

  async priceCorrections(): Promise<readonly PriceCorrection[]> {
    return [...this.priceCorrectionRows.values()].sort((a, b) => a.position - b.position);
  }

  async incomplete(tenant: string): Promise<readonly (string | null)[]> {
    const rows = [...this.quarantined].filter(([at, row]) => at.startsWith('budget') && row.tenant === tenant);
    return rows.flatMap(([, { budgetIds }]): readonly (string | null)[] => budgetIds ?? [null]);
  }

  async counting(): Promise<readonly Readonly<{ tenant: string; budgetId: string }>[]> {
    return [...this.budgets.values()].filter(({ deleted, counted }) => !deleted && counted === null);
  }

  async openHolds(tenant: string): Promise<readonly Hold[]> {
    return this.reservations.open(tenant);
  }

  async holds(keys: readonly HoldKey[]): Promise<readonly Hold[]> {
    return this.reservations.under(keys);
  }

  async holdsNamed(tenant: string, reservationIds: readonly string[]): Promise<readonly Hold[]> {
    return this.reservations.named(tenant, reservationIds);
  }

  async expiring(): Promise<readonly Expiring[]> {
    return this.reservations.expiring();
  }

  async commit(fence: Fence, batch: CommitBatch): Promise<Fence> {
    const next = this.#advance(fence, batch.position);
    for (const { tenant, budgetId } of batch.recounted) this.#forget(tenant, budgetId);
    for (const row of batch.balances) this.balances.set(key(row.tenant, row.budgetId, row.periodStart), row);
    for (const row of batch.late) this.late.set(key(row.tenant, row.budgetId, row.periodStart), row);
    for (const row of batch.thresholds) this.thresholds.set(key(row.tenant, row.budgetId, row.periodStart, row.threshold), row);
    this.definitionEvents.push(...batch.definitions);
    for (const { tenant, scope, state, position } of batch.scopes) {
      if (state.registered) this.scopes.set(key(tenant, scope), { ...state, position });
      else this.scopes.delete(key(tenant, scope));
    }
    for (const change of batch.budgets) {
      const { tenant, state } = change;
      const known = this.budgets.get(key(tenant, state.budgetId));
      const before = known?.row as Pick<typeof change, 'createdBy' | 'revision' | 'updatedAt'> | undefined;
      // As the columns: whoever created it stays, and only the budget's own stream moves its revision.
      const createdBy = before?.createdBy ?? change.createdBy;
      const { revision, updatedAt } = change.revision === null && before !== undefined ? before : change;
      const row = { ...change, revision, updatedAt, createdBy, state: { ...state, createdAt: String(state.createdAt) } };
      const deleted = state.deletedPosition !== null;
      this.budgets.set(key(tenant, state.budgetId), { tenant, budgetId: state.budgetId, row, deleted, counted: known?.counted ?? null });
    }
    for (const { tenant, budgetId, position } of batch.counted) {
      const known = this.budgets.get(key(tenant, budgetId));
      if (known !== undefined) known.counted = position;
    }
    this.#writeCrossings(batch);
    this.#writeWaiting('budget', batch);
    for (const row of batch.stillWaiting) this.waitingRows.set(key('budget', row.tenant, row.position), { projection: 'budget', ...row });
    this.#settle('budget', batch);
    for (const row of batch.corrected) this.correctionRows.set(key(row.tenant, row.position, row.correction.at), row);
    for (const row of batch.pricesCorrected) this.priceCorrectionRows.set(key(row.tenant, row.correctionId), row);
    for (const { tenant, correctionId } of batch.pricesApplied) this.priceCorrectionRows.delete(key(tenant, correctionId));
    this.reservations.write(batch);
    this.outboxRows.push(...batch.emitted);
    for (const row of batch.quarantined) this.quarantined.set(key('budget', row.position), row);
    return next;
  }

  async commitBreakdown(fence: Fence, batch: BreakdownBatch): Promise<Fence> {
    const next = this.#advance(fence, batch.position);
    for (const { tenant, scope, bucket, key: dimensions, gain } of batch.rollups) {
      const id = key(tenant, scope, formatInstant(bucket), dimensions);
      const cell = this.rollups.get(id) ?? { spend: 0n, events: 0, unpriced: 0, input: 0n, output: 0n };
      this.rollups.set(id, {
        spend: cell.spend + gain.spend,
        events: cell.events + gain.events,
        unpriced: cell.unpriced + gain.unpriced,
        input: cell.input + gain.inputTokens,
        output: cell.output + gain.outputTokens,
      });
    }
    this.#writeWaiting('breakdown', batch);
    this.#settle('breakdown', batch);
    return next;
  }

  async outbox(): Promise<readonly Emitted[]> {
    return [...this.outboxRows];
  }

  async sent(_partition: number, ids: readonly string[]): Promise<void> {
    this.outboxRows = this.outboxRows.filter(({ id }) => !ids.includes(id));
  }

  /** Everything that a rebuild must bring back, in one comparable value. */
  digest(): unknown {
    const sorted = (rows: ReadonlyMap<string, unknown>): unknown => [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
    const { balances, late, thresholds, scopes, budgets, crossings, waitingRows, quarantined, priceCorrectionRows } = this;
    const { holdRows, reservedRows, settlements } = this.reservations;
    const correctionRows = new Map([...this.correctionRows].map(([id, row]) => [id, shown(row)]));
    return [
      balances,
      late,
      thresholds,
      scopes,
      budgets,
      crossings,
      waitingRows,
      correctionRows,
      priceCorrectionRows,
      quarantined,
      holdRows,
      reservedRows,
      settlements,
    ]
      .map(sorted)
      .concat([this.definitionEvents]);
  }

  #advance(fence: Fence, position: number): Fence {
    const known = this.checkpoints.get(key(fence.projection, fence.partition));
    if (known?.position !== fence.position || known.epoch !== fence.epoch) throw new FencedError(fence);
    known.position = position;
    return { ...fence, position };
  }

  #forget(tenant: string, budgetId: string): void {
    for (const [id, row] of this.balances) if (row.tenant === tenant && row.budgetId === budgetId) this.balances.delete(id);
    for (const [id, row] of this.waitingRows) {
      if (row.projection !== 'budget' || row.tenant !== tenant || row.reason !== 'rate' || !row.budgetIds.includes(budgetId)) continue;
      const budgetIds = row.budgetIds.filter((waiting) => waiting !== budgetId);
      if (budgetIds.length === 0) this.waitingRows.delete(id);
      else this.waitingRows.set(id, { ...row, budgetIds });
    }
  }

  #writeCrossings({ crossed, told, cleared }: Pick<CommitBatch, 'crossed' | 'told' | 'cleared'>): void {
    for (const row of crossed) this.crossings.set(key(row.tenant, row.alertId), { ...row, position: null, clearedAt: null });
    for (const { position, ...row } of told) {
      const id = key(row.tenant, row.alertId);
      this.crossings.set(id, { ...(this.crossings.get(id) ?? { ...row, index: 0, clearedAt: null }), position });
    }
    for (const { tenant, budgetId, periodStart, threshold, episode, at } of cleared) {
      for (const row of this.crossings.values()) {
        const { data } = row;
        const isIt =
          data.budgetId === budgetId && data.periodStart === periodStart && data.threshold === threshold && data.episode === episode;
        if (row.tenant === tenant && isIt) row.clearedAt ??= at;
      }
    }
  }

  #writeWaiting(projection: Projection, { waiting }: Pick<CommitBatch, 'waiting'>): void {
    for (const row of waiting) {
      const id = key(projection, row.tenant, row.position);
      const known = this.waitingRows.get(id);
      this.waitingRows.set(
        id,
        known === undefined ? { projection, ...row } : { ...known, budgetIds: [...known.budgetIds, ...row.budgetIds] },
      );
    }
  }

  #settle(projection: Projection, { settled }: Pick<CommitBatch, 'settled'>): void {
    for (const { tenant, position } of settled) this.waitingRows.delete(key(projection, tenant, position));
  }

  #period(tenant: string, budgetId: string, start: string): StoredPeriod | null {
    const row = this.balances.get(key(tenant, budgetId, start));
    const thresholds = new Map<string, ThresholdState>();
    for (const one of this.thresholds.values()) {
      if (one.tenant === tenant && one.budgetId === budgetId && one.periodStart === start) {
        thresholds.set(one.threshold, { crossed: one.crossed, episode: one.episode });
      }
    }
    if (row === undefined && thresholds.size === 0) return null;
    const sums =
      row === undefined
        ? null
        : {
            spend: parsePicos(row.spend),
            events: row.events,
            failedSpend: parsePicos(row.failedSpend),
            failedEvents: row.failedEvents,
            waiting: row.waiting,
            lastUsageAt: row.lastUsageAt === null ? null : parseInstant(row.lastUsageAt),
          };
    return { start: parseInstant(start), sums, position: row?.position ?? 0, updatedAt: row?.updatedAt ?? '', thresholds };
  }
}

/** Without bigints, which a diff cannot show. */
const shown = ({ tenant, position, correction: { at, cost, stated } }: Corrected): string =>
  [tenant, position, at, cost === null ? 'void' : `${cost.picos} ${cost.currency}`, stated].join(' ');
