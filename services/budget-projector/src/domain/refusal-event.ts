import { type EpochNs, type EventOf, formatInstant, formatPicos, refusalEventId, usageStream } from '@bursar/contracts';
import { blockPoint } from '@bursar/contracts/folds';
import type { Question, Standing } from './check/standing.js';
import type { RefusalCode } from './check/verdict.js';
import { type Emitted, emit } from './emitted.js';

/** What a refused reservation was, and why. */
export type Refusing = Readonly<{
  tenant: string;
  /** The caller's own; null: it named none. */
  reservationId: string | null;
  code: RefusalCode;
  question: Question;
  /** In the tenant's or the budget's currency, where the question names none. */
  currency: string;
  /** The budget that refuses, as it stood. */
  standing: Standing;
  /** The position on which it was decided, and when. */
  position: number;
  at: EpochNs;
}>;

/** Who was refused what by whom: repeats of it within a minute are counted. */
export const refusalKey = ({ tenant, code, question, standing }: Refusing): string => {
  const scopes = 'scopes' in question.about ? question.about.scopes : [question.about.budgetId];
  const { model = '' } = question.dimensions ?? {};
  return [tenant, standing.state.budgetId, code, question.category ?? '', model, ...scopes].join('\u0000');
};

/** The fact: it charges nothing, and stands for `count` refusals, the first of which it describes. */
export const refusalEvent = (refusing: Refusing, decisionId: string, count: number): Emitted => {
  const { tenant, reservationId, code, question, currency, standing, position, at } = refusing;
  const { state, period, limit, spend } = standing;
  const { definition } = state;
  const money = (picos: bigint | null) => (picos === null ? null : { amount: formatPicos(picos), currency: state.currency });
  const data: EventOf<'UsageRefused'>['data'] = {
    decisionId,
    reservationId,
    scopes: 'scopes' in question.about ? [...question.about.scopes] : [...state.scopes],
    amount: { amount: formatPicos(question.amount), currency },
    ...(question.category !== undefined && { category: question.category }),
    ...(question.dimensions !== undefined && { dimensions: question.dimensions }),
    code,
    budgetId: state.budgetId,
    budgetName: definition.name,
    scope: definition.scope,
    periodStart: formatInstant(period.start),
    currentSpend: money(spend),
    reserved: money(standing.reserved),
    limit: money(limit),
    blockPoint: money(blockPoint(definition, limit)),
    refusedAt: formatInstant(at),
    count,
    position,
  };
  return emit('UsageRefused', usageStream(tenant), refusalEventId(tenant, decisionId), data, { meta: { tenant } });
};
