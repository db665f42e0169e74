import { formatPicos, oneOff } from '@bursar/contracts';
import { blockPoint } from '@bursar/contracts/folds';
import { Problem } from '@bursar/platform';
import type { Decision } from '../domain/check/decide-check.js';
import { endOf, remainingOf, roomOf, type Standing } from '../domain/check/standing.js';
import type { Answer } from './answer.js';
import { budgetHeader } from './budget-header.js';
import type { Decided } from './decisions.js';

/** `POST /check` (contracts `CheckAnswer`). Throws 503 `counting`. */
export const checkAnswer = (decided: Decided, partition: number): Answer =>
  answerOf(decided, partition, ({ allowed, refusal }) => ({ allowed, ...(refusal !== null && { reason: refusal.reason }) }));

/** `POST /budgets/:id/check-constraints` (contracts `ConstraintsAnswer`). Throws 503 `counting`, and 404 where there is no such budget. */
export const constraintsAnswer = (decided: Decided, partition: number): Answer =>
  answerOf(decided, partition, ({ allowed, refusal }) => ({ canProceed: allowed, reason: refusal?.reason ?? null }));

const answerOf = (decided: Decided, partition: number, verdict: (decision: Decision) => object): Answer => {
  if (decided === 'none') throw new Problem('not_found', 'There is no such budget.');
  if (decided === 'counting') throw new Problem('counting', undefined, { retryAfter: 1 });
  const { decision } = decided;
  const { deciding, refusal, actions, worstOvershoot } = decision;
  const position = `${partition}:${decided.position}`;
  const body = {
    ...verdict(decision),
    ...(refusal !== null && { code: refusal.code }),
    ...(deciding === null ? { remaining: null, graceRemaining: null } : figures(deciding)),
    suggestedActions: actions,
    worstOvershoot: formatPicos(worstOvershoot),
    position,
  };
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'bursar-position': position,
    ...(deciding !== null && { 'bursar-budget': budgetHeader(deciding) }),
  };
  return { status: 200, headers, body: JSON.stringify(body) };
};

const figures = (standing: Standing): object => {
  const { state, limit, spend, reserved, period } = standing;
  const { definition, budgetId, currency } = state;
  return {
    budgetId,
    scope: definition.scope,
    currency,
    currentSpend: formatPicos(spend),
    reserved: formatPicos(reserved),
    limit: amount(limit),
    blockPoint: amount(blockPoint(definition, limit)),
    remaining: amount(remainingOf(standing)),
    graceRemaining: amount(roomOf(standing)),
    // Nothing begins anew after the only period of a one-off budget.
    ...(oneOff(definition.period) === null && { resetAt: endOf(period) }),
  };
};

const amount = (picos: bigint | null): string | null => (picos === null ? null : formatPicos(picos));
