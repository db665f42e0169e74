import { formatPicos, oneOff } from '@bursar/contracts';
import { blockPoint } from '@bursar/contracts/folds';
import { PROBLEMS } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import { type Audience, seesFigures } from '../domain/check/audience.js';
import type { SuggestedAction } from '../domain/check/decide-check.js';
import { endOf, remainingOf, roomOf, type Standing } from '../domain/check/standing.js';
import type { Answer } from './answer.js';
import { budgetHeader } from './budget-header.js';
import type { Decided } from './decisions.js';

/** What is asked of a verdict: may it be spent, and why not, as far as the reader may know that. */
type Say = (allowed: boolean, reason: string | null) => object;

/** `POST /check` (contracts `CheckAnswer`). Throws 503 `counting`. */
export const checkAnswer = (decided: Decided, partition: number, audience: Audience): Answer =>
  answerOf(decided, partition, audience, (allowed, reason) => ({ allowed, ...(reason !== null && { reason }) }));

/** `POST /budgets/:id/check-constraints` (contracts `ConstraintsAnswer`). Throws 503 `counting`, and 404 where there is no such budget. */
export const constraintsAnswer = (decided: Decided, partition: number, audience: Audience): Answer =>
  answerOf(decided, partition, audience, (allowed, reason) => ({ canProceed: allowed, reason }));

/** Of budgets that its reader may not see it says neither figures nor names: the verdict, what to do, and when to come back. */
const answerOf = (decided: Decided, partition: number, audience: Audience, verdict: Say): Answer => {
  if (decided === 'none') throw new Problem('not_found', 'There is no such budget.');
  if (decided === 'counting') throw new Problem('counting', undefined, { retryAfter: 1 });
  const { decision, scene } = decided;
  const { allowed, deciding, refusal, actions, worstOvershoot } = decision;
  const position = `${partition}:${decided.position}`;
  const isSeen = deciding === null || seesFigures(audience, deciding.state.definition);
  const body = {
    ...verdict(allowed, refusal === null ? null : isSeen ? refusal.reason : `${PROBLEMS[refusal.code].title}.`),
    ...(refusal !== null && { code: refusal.code }),
    ...(deciding === null ? { remaining: null, graceRemaining: null } : isSeen ? figures(deciding) : resetOf(deciding)),
    suggestedActions: audience === 'operator' ? actions : actions.map((action) => told(action, scene.standings, audience)),
    worstOvershoot: formatPicos(worstOvershoot),
    position,
  };
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'bursar-position': position,
    ...(deciding !== null && isSeen && { 'bursar-budget': budgetHeader(deciding) }),
  };
  return { status: 200, headers, body: JSON.stringify(body) };
};

/** What a threshold asks of whoever spends is his to know, but not of which budget it is. */
const told = ({ budgetId, ...action }: SuggestedAction, standings: readonly Standing[], audience: Audience): object => {
  const asking = standings.find(({ state }) => state.budgetId === budgetId);
  return asking !== undefined && seesFigures(audience, asking.state.definition) ? { ...action, budgetId } : action;
};

const figures = (standing: Standing): object => {
  const { state, limit, spend, reserved } = standing;
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
    ...resetOf(standing),
  };
};

/** Nothing begins anew after the only period of a one-off budget. */
const resetOf = ({ state, period }: Standing): object => (oneOff(state.definition.period) === null ? { resetAt: endOf(period) } : {});

const amount = (picos: bigint | null): string | null => (picos === null ? null : formatPicos(picos));
