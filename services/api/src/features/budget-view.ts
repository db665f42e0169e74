import { type BudgetDefinition, parseInstant, parsePicos, type WireMoney } from '@bursar/contracts';
import { type BudgetStatus, budgetStatus } from '@bursar/contracts/folds';
import { type Moment, positionText } from '../adapters/sql/snapshot.js';
import type { Standing } from '../adapters/sql/standings.js';

/** A definition as the API shows it: the stored one, with percentages as the JSON numbers people send. */
export type ShownDefinition = Omit<BudgetDefinition, 'thresholds' | 'limit'> &
  Readonly<{
    /** null is unlimited; the currency it is unlimited in is the status's. */
    limit: WireMoney | null;
    thresholds: readonly (Omit<BudgetDefinition['thresholds'][number], 'percent'> & { percent?: number })[];
  }>;

export type BudgetView = Readonly<{ id: string }> &
  ShownDefinition &
  Readonly<{ createdAt: string; updatedAt: string; createdBy: string | null; revision: number; status: BudgetStatus }>;

/** What a time zone replaced earlier (`preceding`), and where resets cut, is ours to keep, not part of what was asked for. */
export const showDefinition = ({
  limit,
  thresholds,
  period: { preceding: _, resets: __, ...period },
  ...definition
}: BudgetDefinition): ShownDefinition => ({
  ...definition,
  limit: limit.amount === null ? null : limit,
  period,
  thresholds: thresholds.map(({ percent, ...rest }) => ({ ...(percent === undefined ? {} : { percent: Number(percent) }), ...rest })),
});

export const showStatus = (standing: Standing, moment: Moment): BudgetStatus => {
  const { budget, period, balance, reserved, active, carried, incomplete } = standing;
  return budgetStatus({
    budgetId: budget.budget_id,
    definition: budget.definition,
    period,
    balance: balance === null ? null : { spend: parsePicos(balance.spend), waiting: balance.waiting },
    reserved,
    crossings: active.map((row) => ({
      alertId: row.alert_id,
      data: row.data,
      crossedAt: parseInstant(row.crossed_at),
      clearedAt: null,
      acknowledged: row.acknowledged,
    })),
    counting: budget.counted_position === null,
    incomplete,
    controls: budget.controls,
    carried,
    now: moment.now,
    position: positionText(moment.partition, moment.position),
    lastUpdated: parseInstant(balance?.updated_at ?? budget.updated_at),
  });
};

export const showBudget = (standing: Standing, moment: Moment): BudgetView => {
  const { budget } = standing;
  return {
    id: budget.budget_id,
    ...showDefinition(budget.definition),
    createdAt: budget.created_at,
    updatedAt: budget.updated_at,
    createdBy: budget.created_by,
    revision: budget.revision,
    status: showStatus(standing, moment),
  };
};
