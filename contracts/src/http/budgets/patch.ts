import type { BudgetDefinition } from '../../events/budget.js';
import { patchOf } from '../fields/nullish.js';
import { type Parsed, parseWith } from '../parse.js';
import { isDictionary } from '../usage/parts.js';
import { BudgetBody, type BudgetInput, budgetShape } from './body.js';

type Dictionary = Readonly<Record<string, unknown>>;
const KEYS = Object.keys(budgetShape) as (keyof typeof budgetShape)[];

/** `PATCH /budgets/:id`: any of a budget's fields, checked only once they are merged ({@link mergeBudget}). */
export const BudgetPatch = patchOf('BudgetInput', KEYS).meta({ id: 'BudgetPatch' });
export type BudgetPatch = Readonly<Partial<Record<keyof typeof budgetShape, unknown>>>;

/**
 * The whole budget that a patch makes of the current one, read by the same schema as a new budget; errors point into the patch.
 * Objects merge, lists are replaced, null resets a field to its default. `limit: null` is unlimited in the same currency. A period of
 * another kind replaces the old one but for the zone: an anchor or a length means nothing to another kind.
 */
export const mergeBudget = (current: BudgetDefinition, patch: BudgetPatch): Parsed<BudgetInput> => {
  const { yellow = null, orange = null, red = null } = current.levels;
  // What a time zone replaced earlier, and where resets cut, is the ledger's to keep: whoever stores the period says so again.
  const { preceding: _, resets: __, ...period } = current.period;
  const merged: Record<string, unknown> = { ...current, period, levels: { yellow, orange, red } };
  for (const key of KEYS) {
    const value = patch[key];
    if (value !== undefined) merged[key] = mergeField(key, merged[key], value, current);
  }
  return parseWith(BudgetBody, merged);
};

const mergeField = (key: keyof typeof budgetShape, before: unknown, value: unknown, current: BudgetDefinition): unknown => {
  if (key === 'limit' && value === null) return { amount: null, currency: current.limit.currency };
  if (!isDictionary(value)) return value;
  switch (key) {
    case 'period':
      return value.kind === undefined || canonicalKind(value.kind) === current.period.kind
        ? overlay(before, value)
        : { timezone: current.period.timezone, ...value };
    case 'limit':
    case 'levels':
    case 'enforcement':
    case 'rollover':
    case 'permissions':
      return overlay(before, value);
    case 'filter':
    case 'metadata':
      return mergePatch(before, value);
    default:
      return value;
  }
};

const canonicalKind = (kind: unknown): unknown => (kind === 'yearly' ? 'annual' : kind);

/** One level, null kept: the schema of the field says what null means there. */
const overlay = (before: unknown, value: Dictionary): Dictionary => ({ ...(isDictionary(before) && before), ...value });

/** RFC 7396: any depth, null removes. */
const mergePatch = (before: unknown, value: Dictionary): Dictionary => {
  const merged = new Map<string, unknown>(isDictionary(before) ? Object.entries(before) : []);
  for (const [key, item] of Object.entries(value)) {
    if (item === null) merged.delete(key);
    else merged.set(key, isDictionary(item) ? mergePatch(merged.get(key), item) : item);
  }
  return Object.fromEntries(merged);
};
