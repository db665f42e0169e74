import { type BudgetDefinition, formatPicos, parseInstant, parsePicos } from '@bursar/contracts';
import type { BudgetStatus } from '@bursar/contracts/folds';
import type { Contributors } from './contributors.js';
import { type Grant, stateOf } from './override.js';

/** One budget that applied, as it stood. `amount` in picos of its currency; null: nothing was asked of it, or no rate covers it. */
export type Applied = Readonly<{
  budgetId: string;
  definition: BudgetDefinition;
  status: BudgetStatus;
  amount: bigint | null;
  /** The amount was asked for, and is not in the spend already. */
  isAsked: boolean;
  decided: boolean;
  grants: readonly Grant[];
  contributors: Contributors;
  /** Of the explanation. RFC 3339. */
  at: string;
  partition: number;
}>;

/** One line of an explanation (contracts `ExplainAnswer`). */
export const showApplied = (applied: Applied): object => {
  const { definition, status, amount, decided, contributors, partition } = applied;
  const { budgetId, override, alertLevel, activeAlerts, ...figures } = status;
  return {
    budgetId,
    name: definition.name,
    scope: definition.scope,
    mode: definition.enforcement.mode,
    decided,
    amount: amount === null ? null : formatPicos(amount),
    fits: fits(applied),
    ...figures,
    alertLevel,
    activeAlerts,
    override,
    expiredOverrides: expired(applied),
    eventCount: contributors.count,
    events: contributors.largest.map(({ usage, picos }) => ({
      eventId: usage.id,
      position: `${partition}:${usage.position}`,
      occurredAt: usage.data.occurredAt,
      scopes: usage.data.scopes,
      amount: formatPicos(picos),
      description: usage.data.description ?? null,
    })),
  };
};

/** Was there room up to the block point? A paused budget has none; an unlimited one always. */
const fits = ({ status, amount, isAsked }: Applied): boolean | null => {
  if (!isAsked || amount === null) return null;
  if (status.paused) return false;
  return status.graceRemaining === null || amount <= parsePicos(status.graceRemaining);
};

/** Grants that were over by then, and that ended in this period: what they had added was missing. */
const expired = ({ grants, status, at }: Applied): readonly object[] =>
  grants
    .filter((grant) => parseInstant(grant.createdAt) <= parseInstant(at) && stateOf(grant, at) === 'expired')
    .filter(({ expiresAt }) => status.periodStart === null || parseInstant(expiresAt) >= parseInstant(status.periodStart))
    .map(({ overrideId, amount, expiresAt, reason }) => ({ overrideId, amount, expiresAt, reason }));
