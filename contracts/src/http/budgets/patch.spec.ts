import { describe, expect, test } from '@jest/globals';
import type { BudgetDefinition } from '../../events/budget.js';
import { parseWith } from '../parse.js';
import { BudgetBody, withCurrency } from './body.js';
import { BudgetPatch, mergeBudget } from './patch.js';

const read = (body: unknown): BudgetDefinition => {
  const parsed = parseWith(BudgetBody, body);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return withCurrency(parsed.value, 'USD');
};

const current = read({
  name: 'AI',
  description: 'all of it',
  scope: 'team:ml',
  filter: { category: 'x', dimensions: { provider: 'openai', model: 'gpt-4*' } },
  limit: { amount: '1000', currency: 'EUR' },
  period: { kind: 'rolling', length: '30d', timezone: 'Europe/Berlin', anchor: '2026-01-01T00:00:00Z' },
  thresholds: [{ percent: 50, severity: 'info' }],
  levels: { yellow: 80, orange: null, red: 100 },
  enforcement: { mode: 'notify', blockAtPercent: 120 },
  rollover: { mode: 'unused', cap: '50' },
  metadata: { owner: 'ana', nested: { a: 1, b: 2 } },
});

/** What a patch changes, by field; or the first error. */
const changes = (patch: BudgetPatch): unknown => {
  const merged = mergeBudget(current, patch);
  if (!merged.ok) return `${merged.errors[0]?.code} ${merged.errors[0]?.pointer}`;
  const before = current as Readonly<Record<string, unknown>>;
  const after = merged.value as Readonly<Record<string, unknown>>;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return Object.fromEntries(
    keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key])).map((key) => [key, after[key]]),
  );
};

describe('a patch of a budget', () => {
  test.each([
    ['nothing', {}, {}],
    ['the amount alone', { limit: { amount: 5 } }, { limit: { amount: '5', currency: 'EUR' } }],
    ['unlimited, in the same currency', { limit: null }, { limit: { amount: null, currency: 'EUR' } }],
    ['a text taken away', { description: null }, { description: undefined }],
    [
      'one dimension taken away',
      { filter: { dimensions: { model: null } } },
      { filter: { category: 'x', dimensions: { provider: 'openai' } } },
    ],
    ['the filter taken away', { filter: null }, { filter: undefined }],
    ['another zone', { period: { timezone: 'UTC' } }, { period: { ...current.period, timezone: 'UTC' } }],
    ['another length', { period: { length: '60d' } }, { period: { ...current.period, length: '60d' } }],
    ['another kind', { period: { kind: 'weekly' } }, { period: { kind: 'weekly', timezone: 'Europe/Berlin', recurring: true } }],
    ['other thresholds', { thresholds: [] }, { thresholds: [] }],
    ['a level', { levels: { yellow: 60 } }, { levels: { yellow: 60, red: 100 } }],
    ['levels reset', { levels: null }, { levels: { yellow: 75, orange: 90, red: 100 } }],
    ['one switch', { enforcement: { autoPause: true } }, { enforcement: { mode: 'notify', blockAtPercent: 120, autoPause: true } }],
    ['enforcement reset', { enforcement: null }, { enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false } }],
    ['rollover off', { rollover: { mode: 'none' } }, { rollover: { mode: 'none' } }],
    ['metadata merged', { metadata: { owner: null, nested: { a: null, c: 3 } } }, { metadata: { nested: { b: 2, c: 3 } } }],
    ['a required field', { name: null }, 'wrong_type /name'],
    ['what does not fit the rest', { period: { start: '2026-01-01T00:00:00Z' } }, 'exclusive /period/start'],
    ['a wrong value', { limit: { amount: '-1' } }, 'negative /limit/amount'],
    ['an unknown field inside', { levels: { purple: 1 } }, 'unknown_field /levels/purple'],
  ])('%s', (_what, patch, expected) => expect(changes(patch)).toEqual(expected));

  test('every stored definition is a body that reads as itself', () => expect(changes({})).toEqual({}));

  test.each([
    [{ id: 'x' }, 'unknown_field'],
    [[], 'wrong_type'],
    [null, 'wrong_type'],
  ])('%j is no patch', (patch, code) => {
    const parsed = parseWith(BudgetPatch, patch);
    expect(parsed.ok ? 'ok' : parsed.errors[0]?.code).toBe(code);
  });
});
