import { type EpochNs, formatPicos, remembering, type ThresholdDefinition } from '@bursar/contracts';
import { automaticPause, type BudgetState, globMatches, thresholdKey } from '@bursar/contracts/folds';
import { blocks, type Question, reachedGates, roomOf, type Standing } from './standing.js';

/** Why a budget refuses, the gravest first: of two budgets that refuse, the graver one speaks. */
export const REFUSALS = [
  'budget_paused',
  'budget_incomplete',
  'budget_exceeded',
  'rate_missing',
  'model_not_allowed',
  'approval_required',
] as const;
export type RefusalCode = (typeof REFUSALS)[number];
export type Refusal = Readonly<{
  code: RefusalCode;
  reason: string;
  /** What is held, as a sentence for the end of what is said; absent: nothing is, or it has no part in this. */
  reserved?: string;
}>;

/** What a refusal says: why, what cures it where that is said too, and at the end what is held. */
export const sentencesOf = ({ reason, reserved }: Pick<Refusal, 'reason' | 'reserved'>, remediation?: string): string => {
  const said = remediation === undefined ? reason : `${reason} ${remediation}`;
  return reserved === undefined ? said : `${said} ${reserved}`;
};

/** The refusal of one budget; null: it lets this pass. A budget that only notifies, or is off, never refuses. */
export const refusalOf = (standing: Standing, question: Question, now: EpochNs): Refusal | null => {
  if (!blocks(standing, now)) return null;
  const { state, amount } = standing;
  const { name } = state.definition;
  const pause = pauseOf(state, now);
  if (pause !== null) return { code: 'budget_paused', reason: `Budget ${name} is paused${pause}.` };
  if (standing.incomplete === true) {
    return {
      code: 'budget_incomplete',
      reason: `An event that budget ${name} should count could not be folded; until that is cured it lets nothing pass.`,
    };
  }
  const reached = reachedGates(standing);
  const blocking = reached.find(({ actions }) => actions.includes('block-all'));
  if (blocking !== undefined) {
    return exceeded(`Budget ${name} blocks all spend from ${thresholdText(blocking)} on.`, standing);
  }
  const room = roomOf(standing);
  if (room !== null && amount === null) {
    return { code: 'rate_missing', reason: `No exchange rate to ${state.currency} covers this amount, and budget ${name} needs one.` };
  }
  if (room !== null && amount !== null && amount > room) {
    return exceeded(`Budget exceeded for ${state.definition.scope}.`, standing);
  }
  return refusedByAction(reached, name, question.dimensions?.model);
};

/** Why it is paused, as the end of a sentence; null: it is not. */
const pauseOf = ({ controls }: BudgetState, now: EpochNs): string | null => {
  if (controls.pause !== null) return controls.pause.reason === null ? '' : `: ${controls.pause.reason}`;
  const automatic = automaticPause(controls, now);
  if (automatic === null) return null;
  return `: its spend reached the block point${automatic.periodEnd === null ? '' : `; until it is resumed, or ${automatic.periodEnd}`}`;
};

const refusedByAction = (reached: readonly ThresholdDefinition[], name: string, model: string | undefined): Refusal | null => {
  for (const { actions, allowedModels = [] } of reached) {
    if (!actions.includes('restrict-models') || model === undefined) continue;
    if (!allowedModels.some((pattern) => globMatches(pattern, model))) {
      return { code: 'model_not_allowed', reason: `Budget ${name} allows only: ${allowedModels.join(', ')}.` };
    }
  }
  const asking = reached.find(({ actions }) => actions.includes('require-approval'));
  if (asking === undefined) return null;
  return { code: 'approval_required', reason: `Budget ${name} requires approval from ${thresholdText(asking)} on.` };
};

const thresholdText = (threshold: ThresholdDefinition): string => thresholdKey(threshold).replace('amount:', '');

/** What is held is said where anything is: else a budget that others hold all of would seem to refuse what it has room for. */
const exceeded = (why: string, { state: { currency }, spend, reserved, limit }: Standing): Refusal => ({
  code: 'budget_exceeded',
  reason: `${why} Current: ${money(spend, currency)}${limit === null ? '' : `, Limit: ${money(limit, currency)}`}.`,
  ...(reserved !== 0n && { reserved: `Reserved by calls in progress: ${money(reserved, currency)}.` }),
});

const money = (picos: bigint, currency: string): string => formatOf(currency).format(formatPicos(picos) as Intl.StringNumericLiteral);

/** Making one takes longer than the decision. */
const MOST_CURRENCIES = 32;
const formatOf = remembering((currency: string) => new Intl.NumberFormat('en-US', { style: 'currency', currency }), MOST_CURRENCIES);
