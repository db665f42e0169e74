import { formatInstant, formatPicos } from '@bursar/contracts';
import type { DefinitionEvent } from '@bursar/contracts/folds';
import { ARMED } from '@bursar/contracts/folds';
import type { PeriodState } from '../domain/budget-fold.js';
import type {
  BudgetChange,
  Changes,
  Clearing,
  Corrected,
  Crossing,
  PriceCorrection,
  Quarantined,
  ScopeChange,
  Told,
} from '../domain/changes.js';
import type { Emitted } from '../domain/emitted.js';
import type { Settlement } from '../domain/holds/settlement-flag.js';
import type { Rollup } from '../domain/rollups.js';
import { type Waiting, waitingText } from '../domain/waiting.js';
import { type ChangedGroup, type NewGroup, toHoldWrites } from './hold-groups.js';
import { type HoldRow, type ReservedRow, toReservedRows } from './hold-rows.js';

/** A balance as its table keeps it: absolute values, amounts as decimal text. */
export type BalanceRow = Readonly<{
  tenant: string;
  budgetId: string;
  periodStart: string;
  periodEnd: string;
  spend: string;
  events: number;
  failedSpend: string;
  failedEvents: number;
  waiting: number;
  lastUsageAt: string | null;
  position: number;
  updatedAt: string;
}>;

export type LateRow = Pick<BalanceRow, 'tenant' | 'budgetId' | 'periodStart' | 'position'>;

export type ThresholdRow = Readonly<{
  tenant: string;
  budgetId: string;
  periodStart: string;
  threshold: string;
  crossed: boolean;
  episode: number;
}>;

export type WaitingRow = Readonly<{
  tenant: string;
  position: number;
  reason: Waiting['reason'];
  budgetIds: readonly string[];
  event: string;
}>;

export type BudgetKey = Readonly<{ tenant: string; budgetId: string }>;

/** All that one commit writes, as plain values: the state may change on while it is written. */
export type CommitBatch = Readonly<{
  position: number;
  events: number;
  recounted: readonly BudgetKey[];
  balances: readonly BalanceRow[];
  /** Balances that changed after their period's end. */
  late: readonly LateRow[];
  thresholds: readonly ThresholdRow[];
  definitions: readonly DefinitionEvent[];
  scopes: readonly ScopeChange[];
  budgets: readonly BudgetChange[];
  counted: readonly (BudgetKey & Readonly<{ position: number | null }>)[];
  crossed: readonly Crossing[];
  told: readonly Told[];
  cleared: readonly Clearing[];
  waiting: readonly WaitingRow[];
  stillWaiting: readonly WaitingRow[];
  settled: readonly Readonly<{ tenant: string; position: number }>[];
  corrected: readonly Corrected[];
  pricesCorrected: readonly PriceCorrection[];
  pricesApplied: Changes['pricesApplied'];
  emitted: readonly Emitted[];
  quarantined: readonly Quarantined[];
  holdGroups: readonly NewGroup[];
  changedHoldGroups: readonly ChangedGroup[];
  holds: readonly HoldRow[];
  reserved: readonly ReservedRow[];
  settlements: readonly Settlement[];
}>;

export type BreakdownBatch = Readonly<{
  position: number;
  events: number;
  rollups: readonly Rollup[];
  waiting: readonly WaitingRow[];
  settled: readonly Readonly<{ tenant: string; position: number }>[];
  quarantined: readonly Quarantined[];
}>;

/** Reads the state as it is now. */
export const toBatch = (changes: Changes): CommitBatch => {
  const holds = toHoldWrites(changes);
  return {
    position: changes.position,
    events: changes.events,
    recounted: changes.recounted.map(({ tenant, id }) => ({ tenant, budgetId: id })),
    balances: [...changes.periods].map(toBalance),
    late: [...changes.late].map(({ budget, startText, position }) => ({
      tenant: budget.tenant,
      budgetId: budget.id,
      periodStart: startText,
      position,
    })),
    thresholds: [...changes.thresholds].flatMap(([period, keys]) => [...keys].map((key) => toThreshold(period, key))),
    definitions: changes.definitions,
    scopes: lastOfEach(changes.scopes, ({ tenant, scope }) => `${tenant}\u0000${scope}`),
    budgets: mergedBudgets(changes.budgets),
    counted: [...new Set(changes.counted)].map(({ tenant, id, countedPosition }) => ({ tenant, budgetId: id, position: countedPosition })),
    crossed: changes.crossed,
    told: changes.told,
    cleared: changes.cleared,
    waiting: changes.waiting.map(toWaitingRow),
    stillWaiting: changes.stillWaiting.map(toWaitingRow),
    settled: changes.settled,
    corrected: changes.corrected,
    pricesCorrected: changes.pricesCorrected,
    pricesApplied: changes.pricesApplied,
    emitted: changes.emitted,
    quarantined: changes.quarantined,
    holdGroups: holds.added,
    changedHoldGroups: holds.changed,
    holds: holds.rows,
    reserved: toReservedRows(changes.reserved),
    settlements: [...changes.settlements.values()],
  };
};

export const toWaitingRow = (waiting: Waiting): WaitingRow => ({
  tenant: waiting.tenant,
  position: waiting.position,
  reason: waiting.reason,
  budgetIds: waiting.reason === 'rate' ? waiting.budgetIds : [],
  event: waitingText(waiting),
});

const toBalance = ({ budget, startText, endText, sums, position, updatedAt }: PeriodState): BalanceRow => ({
  tenant: budget.tenant,
  budgetId: budget.id,
  periodStart: startText,
  periodEnd: endText,
  spend: formatPicos(sums.spend),
  events: sums.events,
  failedSpend: formatPicos(sums.failedSpend),
  failedEvents: sums.failedEvents,
  waiting: sums.waiting,
  lastUsageAt: sums.lastUsageAt === null ? null : formatInstant(sums.lastUsageAt),
  position,
  updatedAt,
});

const toThreshold = ({ budget, startText, thresholds }: PeriodState, threshold: string): ThresholdRow => {
  const { crossed, episode } = thresholds.get(threshold) ?? ARMED;
  return { tenant: budget.tenant, budgetId: budget.id, periodStart: startText, threshold, crossed, episode };
};

/** The last of each; who created it is said by the first, revision and time by the last of its own stream. */
const mergedBudgets = (changes: readonly BudgetChange[]): readonly BudgetChange[] => {
  const merged = new Map<string, BudgetChange>();
  for (const change of changes) {
    const key = `${change.tenant}\u0000${change.state.budgetId}`;
    const known = merged.get(key);
    const { revision, updatedAt } = change.revision === null && known !== undefined ? known : change;
    merged.set(key, { ...change, revision, updatedAt, createdBy: change.createdBy ?? known?.createdBy ?? null });
  }
  return [...merged.values()];
};

/** An upsert may name a row once only. */
const lastOfEach = <T>(items: readonly T[], key: (item: T) => string): readonly T[] => [
  ...new Map(items.map((item) => [key(item), item])).values(),
];
