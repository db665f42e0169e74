import { type EpochNs, type EventOf, formatInstant, formatPicos, refusalEventId, usageStream } from '@bursar/contracts';
import { blockPoint } from '@bursar/contracts/folds';
import type { Standing } from './check/standing.js';
import type { RefusalCode } from './check/verdict.js';
import { type Emitted, emit } from './emitted.js';
import type { Asked } from './holds/ask.js';

/** Why a reservation is refused: as a check would be, or for want of a price. */
export type RefusedFor = RefusalCode | 'price_missing';

/** What a refused reservation was, and why. */
export type Refusing = Readonly<{
  tenant: string;
  /** The caller's own; null: it named none. */
  reservationId: string | null;
  code: RefusedFor;
  question: Asked;
  /** In the tenant's or the budget's currency, where the question names none. */
  currency: string;
  /** The budget that refuses, as it stood; null: the tenant denies what has no price. */
  standing: Standing | null;
  /** The position on which it was decided, and when. */
  position: number;
  at: EpochNs;
}>;

/** Who was refused what by whom: repeats of it within a minute are counted. */
export const refusalKey = ({ tenant, code, question, standing }: Refusing): string => {
  const scopes = 'scopes' in question.about ? question.about.scopes : [question.about.budgetId];
  const { model = '' } = question.dimensions ?? {};
  const units = question.unpriced?.join() ?? '';
  // By a budget that was changed meanwhile, or with another override, it is another decision.
  const by = standing === null ? '' : ruleOf(standing.state);
  return [tenant, by, code, question.category ?? '', model, units, ...scopes].join('\u0000');
};

/** What people have made of it. Not its limit as it is: late usage, and what is held, move what was carried over. */
const ruleOf = ({ budgetId, definedPosition, controls }: Standing['state']): string =>
  [budgetId, definedPosition, ...controls.overrides.map(({ overrideId }) => overrideId)].join(' ');

/** The fact: it charges nothing, and stands for `count` refusals, the first of which it describes. */
export const refusalEvent = (refusing: Refusing, decisionId: string, count: number): Emitted => {
  const { tenant, reservationId, code, question, currency, standing, position, at } = refusing;
  const { about, amount, unpriced, category, dimensions } = question;
  const data: EventOf<'UsageRefused'>['data'] = {
    decisionId,
    reservationId,
    scopes: 'scopes' in about ? [...about.scopes] : [...(standing?.state.scopes ?? [])],
    amount: unpriced === undefined ? { amount: formatPicos(amount), currency } : null,
    ...(unpriced !== undefined && { unpriced: [...unpriced] }),
    ...(category !== undefined && { category }),
    ...(dimensions !== undefined && { dimensions }),
    code,
    ...refusedBy(standing),
    refusedAt: formatInstant(at),
    count,
    position,
  };
  return emit('UsageRefused', usageStream(tenant), refusalEventId(tenant, decisionId), data, { meta: { tenant } });
};

type By = Pick<
  EventOf<'UsageRefused'>['data'],
  'budgetId' | 'budgetName' | 'scope' | 'periodStart' | 'currentSpend' | 'reserved' | 'limit' | 'blockPoint'
>;

const refusedBy = (standing: Standing | null): By => {
  if (standing === null) return NOBODY;
  const { state, period, limit, spend, reserved } = standing;
  const { budgetId, definition, currency } = state;
  const money = (picos: bigint | null) => (picos === null ? null : { amount: formatPicos(picos), currency });
  return {
    budgetId,
    budgetName: definition.name,
    scope: definition.scope,
    periodStart: formatInstant(period.start),
    currentSpend: money(spend),
    reserved: money(reserved),
    limit: money(limit),
    blockPoint: money(blockPoint(definition, limit)),
  };
};

const NOBODY: By = {
  budgetId: null,
  budgetName: null,
  scope: null,
  periodStart: null,
  currentSpend: null,
  reserved: null,
  limit: null,
  blockPoint: null,
};
