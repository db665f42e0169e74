import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LedgerEvent } from '../events/registry.js';
import { parsePicos, toWireMoney } from '../values/money.js';
import { Arrivals, settledCharge } from './arrivals.js';
import { charge } from './charge.js';
import { type Correction, isVoided, standing } from './corrections.js';
import { given, price, priceList, recorded, usage } from './given.js';
import { rate } from './rating.js';
import { reratedBy } from './rerating.js';

const USD = (amount: string) => ({ picos: parsePicos(amount), currency: 'USD' });
const tokens = { meter: 'llm.tokens', dimensions: { model: 'm' }, quantities: { inputTokens: '10' } };
const corrected = (position: number, listId: string, amount: string, more: object = {}) =>
  recorded('PricesCorrected', position, { correctionId: `c-${position}`, listId, prices: [price('inputTokens', amount, more)] });

const knownFrom = (...events: readonly LedgerEvent[]) => {
  const arrivals = new Arrivals();
  for (const event of events) arrivals.apply(event);
  return { definitions: given(...events), arrivals };
};
const costBy = (events: readonly LedgerEvent[], position: number) => {
  const { definitions, arrivals } = knownFrom(...events);
  const rerating = reratedBy(usage(position, tokens), definitions, arrivals, { first: 20, last: 20 });
  return rerating === null ? null : toWireMoney(rerating.cost).amount;
};

describe('what stands of a usage', () => {
  const price_ = (at: number, amount = '1'): Correction => ({ at, cost: USD(amount), stated: false });
  const stated = (at: number, amount = '2'): Correction => ({ at, cost: USD(amount), stated: true });
  const voided = (at: number): Correction => ({ at, cost: null, stated: true });
  test.each<[string, readonly Correction[], readonly number[]]>([
    ['prices one after another', [price_(1), price_(2)], [1, 2]],
    ['a stated cost after a price, and no price after it', [price_(1), stated(2), price_(3), stated(4)], [1, 2, 4]],
    ['nothing after a void', [stated(1), voided(2), price_(3), stated(4), voided(5)], [1, 2]],
  ])('%s', (_, corrections, kept) => expect(standing(corrections).map(({ at }) => at)).toEqual(kept));

  test('does not depend on the order in which it becomes known, nor on how often', () => {
    const one = fc.nat(8).chain((at) => fc.constantFrom(price_(at, `${at}`), stated(at, `${at}`), voided(at)));
    const all = fc.uniqueArray(one, { selector: ({ at }) => at, maxLength: 6 });
    fc.assert(
      fc.property(all, fc.nat(8), fc.infiniteStream(fc.nat()), (corrections, through, order) => {
        const shuffled = [...corrections, ...corrections].map((item) => ({ item, key: order.next().value })).sort((a, b) => a.key - b.key);
        expect(
          standing(
            shuffled.map(({ item }) => item),
            through,
          ),
        ).toEqual(standing(corrections, through));
        // Up to a position it is what stands of what was said up to there.
        expect(standing(corrections, through)).toEqual(standing(corrections.filter(({ at }) => at <= through)));
      }),
    );
    expect([isVoided([voided(5)], 4), isVoided([voided(5)], 5)]).toEqual([false, true]);
  });
});

describe('a corrected price', () => {
  test('rerates what the list rated, by the lists that there were then', () => {
    const events = [priceList(1, [price('inputTokens', '1')]), priceList(10, [price('inputTokens', '5')]), corrected(20, 'list-1', '2')];
    expect([costBy(events, 5), costBy(events, 15)]).toEqual(['20', null]);
  });
  test('stands in the place of the one for the same, and of no other', () => {
    const tier = { when: { inputTokens: { gt: '100' } } };
    const list = priceList(1, [price('inputTokens', '1'), price('inputTokens', '9', tier)]);
    expect(costBy([list, corrected(20, 'list-1', '2')], 5)).toBe('20');
    expect(costBy([list, corrected(20, 'list-1', '2', tier)], 5)).toBeNull();
    expect(costBy([list, corrected(20, 'list-1', '2', { match: {} })], 5)).toBeNull();
    expect(costBy([list, corrected(20, 'list-1', '3', { when: { inputTokens: { gte: '10' } } })], 5)).toBe('30');
  });
  test('that says what it said before changes nothing; nor does one for a cost that was stated, or for usage without a price', () => {
    const events = [priceList(1, [price('inputTokens', '1')]), corrected(20, 'list-1', '1.0')];
    expect(costBy(events, 5)).toBeNull();
    const { definitions, arrivals } = knownFrom(priceList(1, [price('inputTokens', '1')]), corrected(20, 'list-1', '2'));
    const at = { first: 20, last: 20 };
    expect(reratedBy(usage(5, { ...tokens, cost: { amount: '0', currency: 'USD' } }), definitions, arrivals, at)).toBeNull();
    const waits = usage(5, { ...tokens, quantities: { outputTokens: '1' } });
    expect(reratedBy(waits, definitions, arrivals, at)).toBeNull();
  });
  test('overtakes usage that was rated before it and stored after it', () => {
    const definitions = given(priceList(1, [price('inputTokens', '1')]), corrected(20, 'list-1', '2'));
    const rated = { ...tokens, rated: { amount: '10', currency: 'USD' } };
    const cost = (position: number, ratedAt?: number) =>
      charge(usage(position, { ...rated, ...(ratedAt && { ratedAt }) }), definitions).cost;
    expect([cost(19, 1), cost(21, 1), cost(21, 20), cost(21)]).toEqual([USD('10'), USD('20'), USD('10'), USD('10')]);
  });
  test('asked for again, whatever was defined and corrected since, says the same; and what it says is what the prices say now', () => {
    const amount = fc.nat(9).map(String);
    const later = fc.subarray([
      corrected(30, 'list-1', '7'),
      priceList(31, [price('inputTokens', '8')]),
      recorded('PricesAdded', 32, { listId: 'list-31', prices: [price('inputTokens', '6')] }),
    ]);
    const history = fc.tuple(amount, amount, fc.constantFrom('list-1', 'list-10'), amount, fc.integer({ min: 2, max: 19 }), later);
    fc.assert(
      fc.property(history, fc.boolean(), ([one, two, list, now, position, since], isRated) => {
        const events = [priceList(1, [price('inputTokens', one)]), priceList(10, [price('inputTokens', two)]), corrected(20, list, now)];
        const sent = usage(position, tokens);
        const then = rate(sent.data, given(...events), position);
        if (!('cost' in then)) throw new Error('it has a price');
        // As ingestion says it: the same prices, asked for again, say the same.
        const known = isRated ? usage(position, { ...tokens, rated: toWireMoney(then.cost), ratedAt: position < 10 ? 1 : 10 }) : sent;
        const at = { first: 20, last: 20 };
        const first = knownFrom(...events);
        const again = knownFrom(...events, ...since);
        const rerating = reratedBy(known, first.definitions, first.arrivals, at);
        expect(reratedBy(known, again.definitions, again.arrivals, at)).toEqual(rerating);
        const isIts = list === (position < 10 ? 'list-1' : 'list-10');
        const before = settledCharge(known, first.definitions, first.arrivals, 19).charged.cost;
        expect(rerating?.cost ?? before).toEqual(USD(String(10 * Number(isIts ? now : position < 10 ? one : two))));
        expect(rerating?.previousCost ?? before).toEqual(then.cost);
      }),
    );
  });
});
