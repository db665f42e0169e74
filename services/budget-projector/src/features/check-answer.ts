import { formatPicos, oneOff, readOnce } from '@bursar/contracts';
import { type BudgetState, blockPoint } from '@bursar/contracts/folds';
import { PROBLEMS } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import { type Audience, seesFigures } from '../domain/check/audience.js';
import type { SuggestedAction } from '../domain/check/decide-check.js';
import { endOf, roomOf, type Standing } from '../domain/check/standing.js';
import { sentencesOf } from '../domain/check/verdict.js';
import type { Answer } from './answer.js';
import { type AmountTexts, amountText, amountTexts, budgetHeader } from './budget-header.js';
import type { Decided } from './decisions.js';

/** What an answer can be made of. */
export type Answerable = Exclude<Decided, 'counting'>;

/** What is asked of a verdict, as members of JSON: may it be spent, and why not, as far as the reader may know that. */
type Say = (allowed: boolean, reason: string | null) => string;

/** `POST /check` (contracts `CheckAnswer`). */
export const checkAnswer = (decided: Answerable, partition: number, audience: Audience): Answer =>
  answerOf(
    decided,
    partition,
    audience,
    (allowed, reason) => `"allowed":${allowed}${reason === null ? '' : `,"reason":${JSON.stringify(reason)}`}`,
  );

/** `POST /budgets/:id/check-constraints` (contracts `ConstraintsAnswer`). Throws 404 where there is no such budget. */
export const constraintsAnswer = (decided: Answerable, partition: number, audience: Audience): Answer =>
  answerOf(decided, partition, audience, (allowed, reason) => `"canProceed":${allowed},"reason":${JSON.stringify(reason)}`);

/** Of budgets that its reader may not see it says neither figures nor names: the verdict, what to do, and when to come back. */
const answerOf = (decided: Answerable, partition: number, audience: Audience, verdict: Say): Answer => {
  if (decided === 'none') throw new Problem('not_found', 'There is no such budget.');
  const { decision, scene } = decided;
  const { allowed, deciding, tightest, refusal, actions, worstOvershoot } = decision;
  const position = `${partition}:${decided.position}`;
  const isSeen = deciding === null || seesFigures(audience, deciding.state.definition);
  const texts = deciding !== null && isSeen ? amountTexts(deciding) : null;
  const said = verdict(allowed, refusal === null ? null : isSeen ? sentencesOf(refusal) : `${PROBLEMS[refusal.code].title}.`);
  const code = refusal === null ? '' : `,"code":"${refusal.code}"`;
  const shown = deciding === null ? NO_FIGURES : texts === null ? resetOf(deciding) : figures(deciding, texts);
  const asked = audience === 'operator' ? actions : actions.map((action) => told(action, scene.standings, audience));
  const overshoot = `,"worstOvershoot":"${formatPicos(worstOvershoot)}"`;
  // On every answer, and half of it the same each time, so put together by hand.
  const body = `{${said}${code}${shown},"suggestedActions":${JSON.stringify(asked)}${overshoot},"position":"${position}"}`;
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'bursar-position': position,
    ...(tightest !== null &&
      seesFigures(audience, tightest.state.definition) && {
        'bursar-budget': budgetHeader(tightest, tightest === deciding && texts !== null ? texts : amountTexts(tightest)),
      }),
  };
  return { status: 200, headers, body };
};

const NO_FIGURES = ',"remaining":null,"graceRemaining":null';

/** What a threshold asks of whoever spends is his to know, but not of which budget it is. */
const told = ({ budgetId, ...action }: SuggestedAction, standings: readonly Standing[], audience: Audience): object => {
  const asking = standings.find(({ state }) => state.budgetId === budgetId);
  return asking !== undefined && seesFigures(audience, asking.state.definition) ? { ...action, budgetId } : action;
};

/** Members of JSON, each behind a comma. Amounts and instants are plain ASCII. */
const figures = (standing: Standing, { limit, spend, reserved, remaining }: AmountTexts): string => {
  const { definition } = standing.state;
  const [point, room] = [blockPoint(definition, standing.limit), roomOf(standing)];
  const [blocksAt, grace] = [point === standing.limit ? limit : amountText(point), amountText(room)];
  const held = `,"currentSpend":"${spend}","reserved":"${reserved}"`;
  const bounds = `,"limit":${quoted(limit)},"blockPoint":${quoted(blocksAt)},"remaining":${quoted(remaining)},"graceRemaining":${quoted(grace)}`;
  return `${namesOf(standing.state)}${held}${bounds}${resetOf(standing)}`;
};

const namesOf = readOnce(
  ({ budgetId, definition, currency }: BudgetState): string =>
    `,"budgetId":${JSON.stringify(budgetId)},"scope":${JSON.stringify(definition.scope)},"currency":${JSON.stringify(currency)}`,
);

/** Nothing begins anew after the only period of a one-off budget. */
const resetOf = ({ state, period }: Standing): string => (oneOff(state.definition.period) === null ? `,"resetAt":"${endOf(period)}"` : '');

const quoted = (text: string | null): string => (text === null ? 'null' : `"${text}"`);
