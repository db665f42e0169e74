import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseInstant } from '../values/instant.js';
import { formatPicos, parsePicos } from '../values/money.js';
import { Arrivals, settledCharge, settledCost } from './arrivals.js';
import { budgetAppliesAt } from './budget-book.js';
import { budgetCounts, charge, originalOf } from './charge.js';
import { budgetsOnPath, findBudget, listBudgets } from './definitions.js';
import { budgetCreated, given, moved, price, priceList, rateSet, registered, usage, voided } from './given.js';

const tree = [registered(1, 'user:alice', 'team:ml'), registered(2, 'team:ml', 'org:a')];
const tokens = { meter: 'llm.tokens', quantities: { inputTokens: '2' }, dimensions: { model: 'm' } };

describe('what an event costs', () => {
  test('a cost it brings stands, whatever the price lists say', () => {
    const definitions = given(priceList(1, [price('inputTokens', '7')]));
    const charged = charge(
      usage(2, { ...tokens, cost: { amount: '0.0125', currency: 'EUR' }, rated: { amount: '9', currency: 'USD' } }),
      definitions,
    );
    expect(charged.cost).toEqual({ picos: parsePicos('0.0125'), currency: 'EUR' });
    expect(charged.unpriced).toEqual([]);
  });

  test('a cost of zero is a cost', () => {
    const definitions = given(priceList(1, [price('inputTokens', '7')]));
    expect(charge(usage(2, { ...tokens, cost: { amount: '0', currency: 'USD' } }), definitions).cost).toEqual({
      picos: 0n,
      currency: 'USD',
    });
  });

  test('what ingestion rated stands, also when a better price is known by now', () => {
    const definitions = given(priceList(1, [price('inputTokens', '7')]));
    expect(charge(usage(2, { ...tokens, rated: { amount: '9', currency: 'USD' } }), definitions).cost?.picos).toBe(parsePicos('9'));
  });

  test('else the lists known at its own position price it', () => {
    const definitions = given(priceList(1, [price('inputTokens', '7')]), priceList(5, [price('inputTokens', '8')]));
    expect(formatPicos(charge(usage(4, tokens), definitions).cost?.picos ?? 0n)).toBe('14');
    expect(formatPicos(charge(usage(6, tokens), definitions).cost?.picos ?? 0n)).toBe('16');
  });

  test('else it waits, named by its units, and the first price that covers it prices it later', () => {
    const definitions = given(...tree, moved(8, 'team:ml', 'org:b'), priceList(9, [price('inputTokens', '7')]));
    const event = usage(4, tokens);
    expect(charge(event, definitions)).toMatchObject({ cost: null, unpriced: ['inputTokens'] });
    const later = charge(event, definitions, event.position, 9);
    expect(later.cost).toEqual({ picos: parsePicos('14'), currency: 'USD' });
    // It is still charged where it arrived: the tree of its own position.
    expect(later.path).toEqual(['user:alice', 'team:ml', 'org:a', 'tenant:acme']);
  });
});

test('a charge says where, when, what kind, and whether it failed', () => {
  const event = usage(3, { ...tokens, category: 'AI', status: 'failed', cost: { amount: '1', currency: 'USD' } });
  expect(charge(event, given(...tree))).toEqual({
    path: ['user:alice', 'team:ml', 'org:a', 'tenant:acme'],
    effectiveAt: parseInstant('2025-01-15T10:00:00Z'),
    cost: { picos: parsePicos('1'), currency: 'USD' },
    unpriced: [],
    failed: true,
    category: 'AI',
    meter: 'llm.tokens',
    dimensions: { model: 'm' },
  });
});

test('a late event is charged by the tree in force where it arrives', () => {
  const definitions = given(...tree, moved(10, 'team:ml', 'org:b'));
  const late = { occurredAt: '2024-12-20T00:00:00Z', cost: { amount: '1', currency: 'USD' } };
  expect(charge(usage(9, late), definitions).path).toContain('org:a');
  expect(charge(usage(11, late), definitions).path).toContain('org:b');
});

test('a backfill asks one budget what a live fold asks the index, and hears the same', () => {
  const scope = fc.constantFrom('user:alice', 'team:ml', 'org:a', 'org:b', 'tenant:acme');
  const definition = fc.record({
    members: fc.uniqueArray(scope, { minLength: 1, maxLength: 3 }),
    filter: fc.option(fc.record({ dimensions: fc.constant({ model: 'gpt-4*' }) }), { nil: undefined }),
    validUntil: fc.constantFrom(null, '2025-01-15T10:00:00Z', '2025-02-01T00:00:00Z'),
  });
  const event = fc.record({ scopes: fc.uniqueArray(scope, { minLength: 1, maxLength: 2 }), model: fc.constantFrom('gpt-4o', 'gpt-3.5') });
  fc.assert(
    fc.property(fc.array(definition, { maxLength: 5 }), event, (budgets, { scopes, model }) => {
      const definitions = given(...tree, ...budgets.map((changes, index) => budgetCreated(index + 10, `b${index}`, changes)));
      const charged = charge(usage(50, { scopes, dimensions: { model }, cost: { amount: '1', currency: 'EUR' } }), definitions);
      const matching = budgetsOnPath(definitions, charged.path, charged, 50);
      const live = matching.filter((budget) => budgetAppliesAt(budget, charged.effectiveAt));
      const alone = listBudgets(definitions).filter((budget) => budgetCounts(budget, charged));
      expect(new Set(live)).toEqual(new Set(alone));
    }),
  );
  expect(findBudget(given(...tree), 'none')).toBeNull();
});

test('a void is charged as its usage was, whatever was defined since', () => {
  const scope = fc.constantFrom('user:alice', 'team:ml', 'team:ops', 'org:b');
  const event = fc.record({
    scopes: fc.uniqueArray(scope, { minLength: 1, maxLength: 2 }),
    cost: fc.option(fc.constant({ amount: '0.000000000007', currency: 'EUR' }), { nil: undefined }),
    tokens: fc.nat(3).map(String),
    status: fc.constantFrom('succeeded' as const, 'failed' as const),
    isSplit: fc.boolean(),
  });
  const since = fc.subarray([
    moved(20, 'team:ml', 'org:b'),
    moved(21, 'user:alice', 'team:ops'),
    priceList(22, [price('inputTokens', '9')]),
    rateSet(23, 'EUR', 'USD', '5', '2024-01-01T00:00:00Z'),
  ]);
  const budget = { currency: 'USD', scopes: ['team:ml'] };
  fc.assert(
    fc.property(event, since, fc.boolean(), ({ scopes, cost, tokens: count, status, isSplit }, later, hasPrice) => {
      const before = [
        ...tree,
        ...(hasPrice ? [priceList(5, [price('inputTokens', '7')])] : []),
        rateSet(6, 'EUR', 'USD', '3', '2024-01-01T00:00:00Z'),
      ];
      const allocation = [
        { scope: 'team:ml', percent: '66.6' },
        { scope: 'team:ops', percent: '33.4' },
      ];
      const sent = { ...tokens, quantities: { inputTokens: count }, scopes, status, ...(cost && { cost }), ...(isSplit && { allocation }) };
      const recordedUsage = usage(10, sent);
      const arrivals = new Arrivals();
      for (const one of before) arrivals.apply(one);
      const known = given(...before);
      const settled = settledCharge(recordedUsage, known, arrivals, 10);

      for (const one of later) arrivals.apply(one);
      const original = originalOf(JSON.parse(JSON.stringify(voided(15, recordedUsage))));
      const taken = settledCharge(original, given(...before, ...later), arrivals, 15);
      expect(taken).toEqual(settled);
      expect(settledCost(taken, original, budget, given(...before, ...later), arrivals, 15)).toEqual(
        settledCost(settled, recordedUsage, budget, known, arrivals, 10),
      );
    }),
  );
});

describe('scopes added to recorded usage', () => {
  /** An event per element: the first records, each further one adds what is not said before. */
  const events = (parts: readonly (readonly string[])[], from: number) =>
    parts.map((scopes, index) =>
      usage(from + index, {
        scopes: [...scopes],
        cost: { amount: '1', currency: 'USD' },
        ...(index > 0 && {
          beyond: parts.slice(0, index).map((before, n) => ({ eventId: `event-${from + n}`, scopes: [...before], position: from + n })),
        }),
      }),
    );

  test('charge whom the usage had charged had it named them all at once, each once, however they are added', () => {
    const scope = fc.integer({ min: 0, max: 11 }).map((n) => `team:${n}`);
    const edges = fc.array(fc.tuple(fc.integer({ min: 1, max: 11 }), fc.integer({ min: 0, max: 10 })), { maxLength: 20 });
    fc.assert(
      fc.property(edges, fc.uniqueArray(scope, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(5)), (pairs, scopes, cuts) => {
        const parents = Map.groupBy(
          pairs.filter(([child, parent]) => parent < child),
          ([child]) => child,
        );
        const definitions = given(
          ...[...parents].map(([child, found], index) =>
            registered(index + 1, `team:${child}`, ...found.map(([, parent]) => `team:${parent}`)),
          ),
        );
        const parts = Object.values(Object.groupBy(scopes, (_, index) => cuts[index] ?? 0)).map((part) => part ?? []);
        const paths = events(parts, 100).map((event) => charge(event, definitions).path);
        const whole = charge(usage(100, { scopes, cost: { amount: '1', currency: 'USD' } }), definitions).path;
        expect(paths.flat().sort()).toEqual([...whole].sort());
      }),
    );
  });

  test('are counted by budgets that do not count the usage yet, also where members draw on one pool', () => {
    const definitions = given(
      budgetCreated(1, 'a', { scope: 'team:a' }),
      budgetCreated(2, 'b', { scope: 'team:b' }),
      budgetCreated(3, 'pool', { scope: 'team:a', members: ['team:a', 'team:b'] }),
      budgetCreated(4, 'root', { scope: 'tenant:acme' }),
    );
    const counting = events([['team:a'], ['team:b']], 10).map((event) => {
      const charged = charge(event, definitions);
      const found = budgetsOnPath(definitions, charged.path, charged, event.position).map(({ budgetId }) => budgetId);
      expect(
        listBudgets(definitions)
          .filter((budget) => budgetCounts(budget, charged))
          .map(({ budgetId }) => budgetId),
      ).toEqual([...found].sort());
      return found;
    });
    expect(counting).toEqual([['a', 'pool', 'root'], ['b']]);
  });

  test('go by the tree that each arrived in', () => {
    const definitions = given(registered(1, 'team:a', 'org:x'), registered(2, 'team:b', 'org:x'), moved(11, 'team:b', 'org:y'));
    const [, added] = events([['team:a'], ['team:b']], 10).map((event) => ({
      ...event,
      position: event.position + (event.position > 10 ? 5 : 0),
    }));
    expect(added === undefined ? [] : charge(added, definitions).path).toEqual(['team:b', 'org:y']);
  });
});
