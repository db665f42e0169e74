import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BudgetDefinition } from '../events/budget.js';
import type { LedgerEvent } from '../events/registry.js';
import { parseInstant } from '../values/instant.js';
import { changePeriod } from '../values/period-change.js';
import { budgetAppliesAt, filterMatches } from './budget-book.js';
import { budgetsOnPath, chargedPath, findBudget, listBudgets } from './definitions.js';
import { BUDGET, budgetChanged, budgetCreated, given, recorded, registered } from './given.js';

const NOW = Number.POSITIVE_INFINITY;
const idsOn = (definitions: ReturnType<typeof given>, scope: string, position = NOW, dims = {}): string[] =>
  budgetsOnPath(definitions, chargedPath(definitions, [scope], position), dims, position).map(({ budgetId }) => budgetId);

describe('budgets of a path', () => {
  test('every level counts, the root too, nearest first', () => {
    const definitions = given(
      registered(1, 'user:alice', 'team:ml'),
      budgetCreated(2, 'root', { scope: 'tenant:acme' }),
      budgetCreated(3, 'team'),
      budgetCreated(4, 'user', { scope: 'user:alice' }),
      budgetCreated(5, 'other', { scope: 'team:web' }),
    );
    expect(idsOn(definitions, 'user:alice')).toEqual(['user', 'team', 'root']);
  });

  test('a pool of several members on one path is one budget', () => {
    const pool = budgetCreated(2, 'pool', { members: ['user:alice', 'team:ml', 'team:web'] });
    const definitions = given(registered(1, 'user:alice', 'team:ml'), pool);
    expect(idsOn(definitions, 'user:alice')).toEqual(['pool']);
    expect(idsOn(definitions, 'team:web')).toEqual(['pool']);
  });

  test('a deleted budget is gone from its position on, and is still there before it', () => {
    const definitions = given(
      budgetCreated(2, 'b'),
      recorded('BudgetDeleted', 5, { budgetId: 'b' }),
      budgetChanged(6, 'b', { name: 'late' }),
    );
    expect(idsOn(definitions, 'team:ml', 4)).toEqual(['b']);
    expect(idsOn(definitions, 'team:ml', 5)).toEqual([]);
    expect(findBudget(definitions, 'b')).toMatchObject({ deletedPosition: 5, definition: { name: BUDGET.name } });
    expect(listBudgets(definitions)).toEqual([]);
  });

  test('a budget moved to another scope leaves the old one', () => {
    const definitions = given(budgetCreated(2, 'b'), budgetChanged(3, 'b', { scope: 'team:web' }));
    expect(idsOn(definitions, 'team:ml')).toEqual([]);
    expect(idsOn(definitions, 'team:web')).toEqual(['b']);
    expect(idsOn(definitions, 'team:ml', 2)).toEqual(['b']);
  });

  test('a path asked for before a budget existed finds it afterwards', () => {
    const definitions = given(registered(1, 'user:alice', 'team:ml'));
    const path = chargedPath(definitions, ['user:alice'], NOW);
    expect(budgetsOnPath(definitions, path, {}, NOW)).toEqual([]);
    definitions.budgets.apply(budgetCreated(2, 'b'));
    expect(budgetsOnPath(definitions, path, {}, NOW)).toHaveLength(1);
  });
});

test('a rolling budget without an anchor starts at the very instant the store recorded it', () => {
  const event = budgetCreated(2, 'b', { period: { kind: 'rolling', timezone: 'UTC', length: '30d', recurring: true } });
  expect(findBudget(given(event), 'b')?.definition.period.anchor).toBe(event.recordedAt);
  const anchored = budgetCreated(2, 'b', { period: { ...event.data.definition.period, anchor: '2024-01-31T00:00:00Z' } });
  expect(findBudget(given(anchored), 'b')?.definition.period.anchor).toBe('2024-01-31T00:00:00Z');
});

describe('filters', () => {
  const filter = { category: 'AI_CLASSIFICATION', dimensions: { provider: 'openai', model: 'gpt-4*' } };
  const dimensions = { provider: 'openai', model: 'gpt-4o' };
  test.each([
    ['all of it', { category: 'AI_CLASSIFICATION', dimensions }, true],
    ['another category', { category: 'AI', dimensions }, false],
    ['no category', { dimensions }, false],
    ['another model', { category: 'AI_CLASSIFICATION', dimensions: { ...dimensions, model: 'gpt-3.5' } }, false],
    ['a dimension missing', { category: 'AI_CLASSIFICATION', dimensions: { provider: 'openai' } }, false],
    ['no dimensions', { category: 'AI_CLASSIFICATION' }, false],
  ])('%s', (_, usage, expected) => {
    const definitions = given(budgetCreated(1, 'filtered', { filter }), budgetCreated(2, 'all'));
    expect(idsOn(definitions, 'team:ml', NOW, usage)).toEqual(expected ? ['filtered', 'all'] : ['all']);
  });

  test('a dimension named like a thing every object has does not match by accident', () => {
    const definitions = given(budgetCreated(1, 'b', { filter: { dimensions: { constructor: '*' } } }));
    expect(idsOn(definitions, 'team:ml', NOW, { dimensions: {} })).toEqual([]);
  });

  test.each([
    ['2025-01-31T23:59:59.999999999Z', false],
    ['2025-02-01T00:00:00Z', true],
    ['2025-02-28T23:59:59.999999999Z', true],
    ['2025-03-01T00:00:00Z', false],
  ])('valid [2025-02-01, 2025-03-01) at %s: %s', (at, expected) => {
    const validity = { validFrom: '2025-02-01T00:00:00Z', validUntil: '2025-03-01T00:00:00Z' };
    const budget = findBudget(given(budgetCreated(1, 'b', validity)), 'b');
    expect(budget !== null && budgetAppliesAt(budget, parseInstant(at))).toBe(expected);
  });
});

describe('what makes a budget count anew', () => {
  test.each<[string, Partial<BudgetDefinition>, boolean]>([
    ['limit', { limit: { amount: '5', currency: 'EUR' } }, false],
    ['no limit any more', { limit: { amount: null, currency: 'EUR' } }, false],
    ['thresholds', { thresholds: [] }, false],
    ['name', { name: 'Other' }, false],
    ['the same scope as its only member', { members: ['team:ml'] }, false],
    ['currency', { limit: { amount: '1000', currency: 'USD' } }, true],
    ['scope', { scope: 'team:web' }, true],
    ['members', { members: ['team:ml', 'team:web'] }, true],
    ['filter', { filter: { category: 'x' } }, true],
    ['period', { period: { kind: 'daily', timezone: 'UTC', recurring: true } }, true],
    [
      'time zone, from the next period on',
      { period: changePeriod(BUDGET.period, { ...BUDGET.period, timezone: 'Asia/Tokyo' }, 0n) },
      false,
    ],
    ['time zone, stored as if it always had been', { period: { ...BUDGET.period, timezone: 'Asia/Tokyo' } }, true],
    ['validity', { validFrom: '2025-01-01T00:00:00Z' }, true],
  ])('%s', (_, changes, recounted) => {
    const state = findBudget(given(budgetCreated(4, 'b'), budgetChanged(9, 'b', changes)), 'b');
    expect(state).toMatchObject({ createdPosition: 4, definedPosition: recounted ? 9 : 4 });
  });
});

test('the index finds what a walk over all budgets finds, at any position, after any edits in any order', () => {
  const scope = fc.constantFrom('a:1', 'a:2', 'a:3', 'a:4', 'tenant:acme');
  const filter = fc.option(fc.record({ category: fc.constantFrom('x', 'y') }), { nil: undefined });
  const edit = fc.record({
    id: fc.constantFrom('b1', 'b2', 'b3', 'b4'),
    kind: fc.constantFrom('create', 'create', 'change', 'delete'),
    changes: fc.record({ scope, members: fc.option(fc.uniqueArray(scope, { minLength: 1 }), { nil: undefined }), filter }),
  });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 14 }), fc.nat(15), fc.infiniteStream(fc.nat()), (edits, position, random) => {
      const events = edits.map(({ id, kind, changes }, index): LedgerEvent => {
        if (kind === 'delete') return recorded('BudgetDeleted', index + 1, { budgetId: id });
        return kind === 'create' ? budgetCreated(index + 1, id, changes) : budgetChanged(index + 1, id, changes);
      });
      const inOrder = given(...events);
      const keyed = events.map((event) => [random.next().value, event] as const).sort(([a], [b]) => a - b);
      const shuffled = given(...keyed.map(([, event]) => event));
      const path = chargedPath(inOrder, ['a:1', 'a:2'], NOW);
      for (const at of [position, NOW]) {
        const expected = listBudgets(inOrder, at).filter(
          (budget) => budget.scopes.some((each) => path.includes(each)) && filterMatches(budget, { category: 'x' }),
        );
        for (const definitions of [inOrder, shuffled]) {
          const found = budgetsOnPath(definitions, path, { category: 'x' }, at);
          expect(new Set(found.map(({ budgetId }) => budgetId)).size).toBe(found.length);
          expect(new Set(found.map(describeState))).toEqual(new Set(expected.map(describeState)));
        }
      }
    }),
  );
});

const describeState = ({ budgetId, definition, createdPosition, definedPosition }: ReturnType<typeof listBudgets>[number]): string =>
  JSON.stringify({ budgetId, definition, createdPosition, definedPosition });

test('a zone change taken back before it began makes nothing count anew; one taken back after it began does', () => {
  const tokyo = changePeriod(BUDGET.period, { ...BUDGET.period, timezone: 'Asia/Tokyo' }, parseInstant('2025-01-01T00:00:09Z'));
  const back = (recordedAt: string): number | undefined => {
    const takenBack = { ...budgetChanged(10, 'b', {}), recordedAt };
    return findBudget(given(budgetCreated(4, 'b'), budgetChanged(9, 'b', { period: tokyo }), takenBack), 'b')?.definedPosition;
  };
  expect(back('2025-01-20T00:00:00Z')).toBe(4);
  expect(back('2025-02-20T00:00:00Z')).toBe(10);
});
