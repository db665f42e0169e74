import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parsePicos } from '../values/money.js';
import { shareOf, splitExactly, splitFromWire, splitToWire } from './allocation.js';
import { charge } from './charge.js';
import { given, registered, usage } from './given.js';

const picos = fc.bigInt({ min: 0n, max: 10n ** 30n });
const weights = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 26n }), { minLength: 1, maxLength: 16 })
  .filter((all) => all.some((one) => one > 0n));

describe('parts of an amount', () => {
  test('sum to the whole, each less than a pico off its exact share, none negative', () => {
    fc.assert(
      fc.property(picos, weights, (amount, all) => {
        const parts = splitExactly(amount, all);
        const total = all.reduce((sum, weight) => sum + weight, 0n);
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(amount);
        for (const [index, part] of parts.entries()) {
          const off = part * total - amount * (all[index] ?? 0n);
          expect(part >= 0n && off < total && off > -total).toBe(true);
        }
      }),
    );
  });

  test.each([
    { amount: 100n, weights: [1n, 1n, 1n], parts: [34n, 33n, 33n] },
    { amount: 1n, weights: [30n, 40n, 30n], parts: [0n, 1n, 0n] },
    { amount: 2n, weights: [50n, 0n, 50n], parts: [1n, 0n, 1n] },
    { amount: 0n, weights: [60n, 40n], parts: [0n, 0n] },
    { amount: 5n, weights: [999n, 1n], parts: [5n, 0n] },
  ])('$amount by $weights is $parts', ({ amount, weights: all, parts }) => expect(splitExactly(amount, all)).toEqual(parts));
});

describe('an allocated charge', () => {
  const tree = given(
    registered(1, 'team:a', 'org:x'),
    registered(2, 'team:b', 'org:x'),
    registered(3, 'team:c', 'org:y'),
    registered(4, 'user:u', 'org:z'),
  );
  const allocation = [
    { scope: 'team:a', percent: '33.333' },
    { scope: 'team:b', percent: '33.333' },
    { scope: 'team:c', percent: '33.334' },
  ];
  const charged = charge(usage(9, { scopes: ['user:u'], cost: { amount: '0.000000000010', currency: 'USD' }, allocation }), tree);
  const share = (...scopes: string[]): bigint => shareOf(charged.split, scopes, charged.cost?.picos ?? 0n);

  test('reaches the scopes it names and all above them, each once', () => {
    expect(charged.path).toEqual(['user:u', 'team:a', 'team:b', 'team:c', 'org:z', 'org:x', 'org:y', 'tenant:acme']);
  });

  test('splits between them, adds up in an ancestor of some, and is whole in one of all', () => {
    expect([share('team:a'), share('team:b'), share('team:c')]).toEqual([3n, 3n, 4n]);
    expect([share('org:x'), share('org:y'), share('tenant:acme')]).toEqual([6n, 4n, 10n]);
  });

  test('is whole for the scopes of the event that no part reaches', () => {
    expect([share('user:u'), share('org:z')]).toEqual([10n, 10n]);
  });

  test('counts once for a pool of scopes that overlap', () => {
    expect([share('team:a', 'org:x'), share('team:a', 'team:c'), share('team:a', 'user:u'), share('team:nowhere', 'team:b')]).toEqual([
      6n,
      7n,
      10n,
      3n,
    ]);
  });

  test('survives being stored', () => {
    if (charged.split === undefined) throw new Error('it is split');
    expect(splitFromWire(JSON.parse(JSON.stringify(splitToWire(charged.split))))).toEqual(charged.split);
  });

  test('of an event without allocation is whole everywhere', () => {
    const plain = charge(usage(9, { scopes: ['team:a'], cost: { amount: '1', currency: 'USD' } }), tree);
    expect([plain.split, shareOf(plain.split, ['team:a'], parsePicos('1'))]).toEqual([undefined, parsePicos('1')]);
  });
});

test('whatever the split, every level of a tree of which nobody is outside adds up to the whole', () => {
  const scopes = ['team:a', 'team:b', 'team:c', 'team:d'];
  const tree = given(...scopes.map((scope, index) => registered(index + 1, scope, index % 2 === 0 ? 'org:x' : 'org:y')));
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 4, maxLength: 4 }), picos, (some, amount) => {
      const sum = some.reduce((total, one) => total + one, 0);
      // Percentages of 100 in hundredths, the last takes what is left.
      const percents = some.slice(0, 3).map((one) => Math.floor((one * 10_000) / Math.max(1, sum)));
      percents.push(10_000 - percents.reduce((total, one) => total + one, 0));
      const allocation = scopes.map((scope, index) => ({ scope, percent: String((percents[index] ?? 0) / 100) }));
      const { split } = charge(usage(9, { scopes: ['team:a'], cost: { amount: '1', currency: 'USD' }, allocation }), tree);
      const add = (level: readonly string[]): bigint => level.reduce((total, scope) => total + shareOf(split, [scope], amount), 0n);
      expect([add(scopes), add(['org:x', 'org:y']), add(['tenant:acme'])]).toEqual([amount, amount, amount]);
    }),
  );
});
