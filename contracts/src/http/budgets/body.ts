import { z } from 'zod';
import type { BudgetDefinition, ThresholdDefinition } from '../../events/budget.js';
import { compareThresholds } from '../../folds/thresholds.js';
import { parseInstant } from '../../values/instant.js';
import { parsePicos } from '../../values/money.js';
import { smallNumber } from '../fields/amount.js';
import { Complaint } from '../fields/complaint.js';
import { field, obeying } from '../fields/field.js';
import { Limit, spokenAmount } from '../fields/money.js';
import { compact, orAbsent, orDefault } from '../fields/nullish.js';
import { scopeList, scopeRef } from '../fields/scope.js';
import { flag, freeText, label, oneOf, plainText } from '../fields/text.js';
import { instantText } from '../fields/time.js';
import { readDimensions, readMetadata } from '../usage/parts.js';
import { PeriodBody } from './period.js';
import { DEFAULT_THRESHOLDS, type SentThreshold, ThresholdBody } from './threshold.js';

const dictionary = field(
  { type: 'object', maxProperties: 64, additionalProperties: { type: 'string', maxLength: 1024 }, description: '* matches any text' },
  readDimensions,
);
const level = orDefault(smallNumber(0, 1000), null).optional();

const LEVELS = { yellow: 75, orange: 90, red: 100 };
const ENFORCEMENT = { mode: 'block', blockAtPercent: 100, autoPause: false } as const;
const PERMISSIONS = { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false };

export const budgetShape = {
  name: label(200),
  description: orAbsent(freeText(2_000)),
  scope: scopeRef,
  members: orAbsent(scopeList(1, 100)),
  filter: orAbsent(z.strictObject({ category: orAbsent(plainText(256)), dimensions: orAbsent(dictionary) }).transform(compact)),
  limit: Limit,
  period: PeriodBody,
  thresholds: orDefault(z.array(ThresholdBody).max(50), DEFAULT_THRESHOLDS).optional(),
  /** A level of null does not exist; one left out is at its default. */
  levels: orAbsent(z.strictObject({ yellow: level, orange: level, red: level })),
  enforcement: orAbsent(
    z.strictObject({
      mode: orAbsent(oneOf('block', 'notify', 'off')),
      blockAtPercent: orAbsent(smallNumber(100, 150)),
      autoPause: orAbsent(flag),
    }),
  ),
  rollover: orAbsent(
    z.strictObject({ mode: orDefault(oneOf('none', 'unused', 'debt', 'both'), 'none' as const).optional(), cap: orAbsent(spokenAmount()) }),
  ),
  permissions: orAbsent(
    z.strictObject({ budgetVisibleToUser: orAbsent(flag), userCanModifyLimit: orAbsent(flag), userCanResetBudget: orAbsent(flag) }),
  ),
  validFrom: orDefault(instantText, null).optional(),
  validUntil: orDefault(instantText, null).optional(),
  metadata: orDefault(field({ type: 'object', description: 'Free JSON, at most 4 KB' }, readMetadata), {}).optional(),
};

const Sent = z.strictObject(budgetShape);
type Sent = z.infer<typeof Sent>;

/** A budget complete but for a currency that was left to the tenant: `withCurrency` makes it a definition. */
export type BudgetInput = Omit<BudgetDefinition, 'limit'> & Readonly<{ limit: { amount: string | null; currency?: string } }>;

/** `POST /budgets` and `PUT /budgets/:id`, with the defaults of API.md filled in. */
export const BudgetBody = Sent.superRefine(obeying(complaintOf)).transform(toInput).meta({ id: 'BudgetInput' });

/** The definition to store: what named no currency is in the tenant's. */
export const withCurrency = (input: BudgetInput, tenantCurrency: string): BudgetDefinition => {
  const { amount, currency = tenantCurrency } = input.limit;
  return { ...input, limit: amount === null ? { amount: null, currency } : { amount, currency } };
};

function complaintOf(sent: Sent): Complaint | null {
  return repeated(sent.thresholds ?? []) ?? foreign(sent) ?? unordered(sent);
}

/** A threshold is its value, so the same value twice is one too many. */
const repeated = (thresholds: readonly SentThreshold[]): Complaint | null => {
  const seen = new Set<string>();
  for (const [index, { percent, amount }] of thresholds.entries()) {
    const value = percent === undefined ? `amount ${amount?.amount}` : `${percent}%`;
    if (seen.has(value)) return new Complaint('duplicate', `${value} is there already`, ['thresholds', index]);
    seen.add(value);
  }
  return null;
};

/** Everything about a budget is in its own currency. */
const foreign = ({ limit, thresholds = [], rollover }: Sent): Complaint | null => {
  const differs = (currency: string | undefined): boolean => currency !== undefined && currency !== limit.currency;
  const index = thresholds.findIndex(({ amount }) => differs(amount?.currency));
  if (index >= 0) return new Complaint('currency', "Has to be the limit's currency", ['thresholds', index, 'amount', 'currency']);
  if (differs(rollover?.cap?.currency)) return new Complaint('currency', "Has to be the limit's currency", ['rollover', 'cap', 'currency']);
  return null;
};

const unordered = ({ levels, validFrom = null, validUntil = null }: Sent): Complaint | null => {
  if (validFrom !== null && validUntil !== null && parseInstant(validFrom) >= parseInstant(validUntil)) {
    return new Complaint('order', 'validUntil has to be after validFrom', ['validUntil']);
  }
  const { yellow, orange, red } = levelsOf(levels);
  const rising = [yellow, orange, red].filter((percent) => percent !== undefined);
  return rising.every((percent, index) => index === 0 || percent >= (rising[index - 1] ?? 0))
    ? null
    : new Complaint('order', 'Levels have to rise from yellow to red', ['levels']);
};

const levelsOf = (levels: Sent['levels']): BudgetDefinition['levels'] => {
  const one = (sent: number | null | undefined, fallback: number): number | undefined =>
    sent === undefined ? fallback : (sent ?? undefined);
  return compact({
    yellow: one(levels?.yellow, LEVELS.yellow),
    orange: one(levels?.orange, LEVELS.orange),
    red: one(levels?.red, LEVELS.red),
  });
};

function toInput(sent: Sent): BudgetInput {
  const { rollover } = sent;
  const mode = rollover?.mode ?? 'none';
  return compact({
    ...sent,
    filter: sent.filter !== undefined && Object.keys(sent.filter).length > 0 ? sent.filter : undefined,
    thresholds: sorted(sent.thresholds ?? DEFAULT_THRESHOLDS, sent.limit.amount),
    levels: levelsOf(sent.levels),
    enforcement: { ...ENFORCEMENT, ...compact(sent.enforcement ?? {}) },
    rollover: mode === 'none' || rollover?.cap === undefined ? { mode } : { mode, cap: rollover.cap.amount },
    permissions: { ...PERMISSIONS, ...compact(sent.permissions ?? {}) },
    validFrom: sent.validFrom ?? null,
    validUntil: sent.validUntil ?? null,
    metadata: sent.metadata ?? {},
  });
}

/** In the order in which rising spend reaches them (RELIABILITY IN-G2). */
const sorted = (thresholds: readonly SentThreshold[], limit: string | null): ThresholdDefinition[] => {
  const picos = limit === null ? null : parsePicos(limit);
  const definitions = thresholds.map(({ amount, ...rest }) => ({ ...rest, ...(amount && { amount: amount.amount }) }));
  return definitions.sort((a, b) => compareThresholds(a, b, picos));
};
