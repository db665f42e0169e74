import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Price, TenantSettings } from '../events/tenant.js';
import { formatDecimal, parseDecimal } from '../values/decimal.js';
import { parseInstant } from '../values/instant.js';
import { formatPicos, PICOS_PER_UNIT } from '../values/money.js';
import { charge } from './charge.js';
import type { TenantDefinitions } from './definitions.js';
import { given, price, priceList, recorded, usage } from './given.js';
import { globMatches } from './glob.js';
import { type Rateable, rate } from './rating.js';
import { DEFAULT_SETTINGS } from './tenant-settings.js';

const NOW = Number.POSITIVE_INFINITY;
const tokens = (quantities: Record<string, string>, dimensions: Record<string, string> = { model: 'm' }): Rateable => ({
  meter: 'llm.tokens',
  quantities,
  dimensions,
  occurredAt: '2025-01-15T10:00:00Z',
});

/** What it comes to: `1.5 USD`, or the units without a price. */
const outcome = (usage: Rateable, definitions: ReturnType<typeof given>, position = NOW): string => {
  const rating = rate(usage, definitions, position);
  return 'cost' in rating ? `${formatPicos(rating.cost.picos)} ${rating.cost.currency}` : `unpriced: ${rating.unpriced.join(', ')}`;
};

describe('which price wins', () => {
  const { model, both, pattern, any } = {
    model: { match: { model: 'm' } },
    both: { match: { model: 'm', provider: 'p' } },
    pattern: { match: { model: 'm*', provider: 'p' } },
    any: { match: {} },
  };
  const event = tokens({ inputTokens: '1' }, { model: 'm', provider: 'p' });
  const long = { when: { inputTokens: { gte: '1' } } };

  test.each<[string, Price[], string]>([
    ['a match on a key over no match', [price('inputTokens', '1', any), price('inputTokens', '2', model)], '2 USD'],
    ['more keys over fewer', [price('inputTokens', '2', both), price('inputTokens', '1', model)], '2 USD'],
    ['more keys, one a pattern, over fewer exact', [price('inputTokens', '2', pattern), price('inputTokens', '1', model)], '2 USD'],
    ['exact over pattern with as many keys', [price('inputTokens', '2', both), price('inputTokens', '1', pattern)], '2 USD'],
    ['a satisfied condition over everything', [price('inputTokens', '2', { ...any, ...long }), price('inputTokens', '1', both)], '2 USD'],
    ['the later of two equals', [price('inputTokens', '1', model), price('inputTokens', '2', model)], '2 USD'],
    [
      'the later of two that match other keys',
      [price('inputTokens', '1', model), price('inputTokens', '2', { match: { provider: 'p' } })],
      '2 USD',
    ],
    ['and the other way round', [price('inputTokens', '1', { match: { provider: 'p' } }), price('inputTokens', '2', model)], '2 USD'],
    ['nothing for another model', [price('inputTokens', '1', { match: { model: 'n' } })], 'unpriced: inputTokens'],
    ['nothing for a key the event lacks', [price('inputTokens', '1', { match: { region: '*' } })], 'unpriced: inputTokens'],
    ['nothing for another meter', [price('inputTokens', '1', { meter: 'other' })], 'unpriced: inputTokens'],
    ['nothing of an unmet condition', [price('inputTokens', '1', { when: { inputTokens: { gt: '1' } } })], 'unpriced: inputTokens'],
  ])('%s', (_, prices, expected) => {
    expect(outcome(event, given(priceList(1, prices)))).toBe(expected);
    expect(outcome(event, given(priceList(1, [...prices])), 0)).toBe('unpriced: inputTokens');
  });

  test('the list later in force beats the one later created; what is not in force yet does not compete', () => {
    const definitions = given(
      priceList(1, [price('inputTokens', '1')], { effectiveFrom: '2025-01-01T00:00:00Z' }),
      priceList(2, [price('inputTokens', '2')], { effectiveFrom: '2024-01-01T00:00:00Z' }),
      priceList(3, [price('inputTokens', '3')], { effectiveFrom: '2025-01-15T10:00:00.000000001Z' }),
    );
    expect(outcome(event, definitions)).toBe('1 USD');
    expect(outcome({ ...event, occurredAt: '2025-01-15T10:00:00.000000001Z' }, definitions)).toBe('3 USD');
    expect(outcome({ ...event, occurredAt: '2024-06-01T00:00:00Z' }, definitions)).toBe('2 USD');
  });

  test('of two lists in force since the same moment the later created wins, in whatever order they are read', () => {
    const lists = [priceList(1, [price('inputTokens', '1')]), priceList(2, [price('inputTokens', '2'), price('inputTokens', '3')])];
    expect(outcome(event, given(...lists))).toBe('3 USD');
    expect(outcome(event, given(...lists.toReversed()))).toBe('3 USD');
  });

  test('two values are not taken for two others that read alike when joined', () => {
    const definitions = given(priceList(1, [price('inputTokens', '1', { match: { model: 'ab', provider: 'c' } })]));
    expect(outcome(tokens({ inputTokens: '1' }, { model: 'a', provider: 'bc' }), definitions)).toBe('unpriced: inputTokens');
    expect(outcome(tokens({ inputTokens: '1' }, { model: 'ab', provider: 'c' }), definitions)).toBe('1 USD');
  });

  test('a list posted later is unknown to an earlier position, and its rest counts wherever it comes in', () => {
    const rest = recorded('PricesAdded', 6, { listId: 'list-5', prices: [price('outputTokens', '2')] });
    const definitions = given(rest, priceList(5, [price('inputTokens', '1')]), rest);
    expect(outcome(tokens({ inputTokens: '1', outputTokens: '1' }), definitions, 4)).toBe('unpriced: inputTokens, outputTokens');
    expect(outcome(tokens({ inputTokens: '1', outputTokens: '1' }), definitions, 5)).toBe('unpriced: outputTokens');
    expect(outcome(tokens({ inputTokens: '1', outputTokens: '1' }), definitions, 6)).toBe('3 USD');
  });

  test('token counts without a meter are LLM tokens', () => {
    expect(outcome({ ...event, meter: undefined }, given(priceList(1, [price('inputTokens', '1')])))).toBe('1 USD');
  });
});

describe('parts and wholes', () => {
  const whole = [price('inputTokens', '10'), price('outputTokens', '100')];
  const parts = [price('cacheReadTokens', '1'), price('reasoningTokens', '1000')];
  const all = { inputTokens: '7', cacheReadTokens: '4', cacheWriteTokens: '1', outputTokens: '5', reasoningTokens: '2' };

  test.each<[string, Price[], Record<string, string>, string]>([
    ['parts without own price go at their whole', whole, all, '570 USD'],
    ['parts with own price are carved out', [...whole, ...parts], all, '2334 USD'],
    ['a part that is all of its whole', [...whole, ...parts], { inputTokens: '4', cacheReadTokens: '4' }, '4 USD'],
    ['its whole needs a price even so', parts, { inputTokens: '4', cacheReadTokens: '4' }, 'unpriced: inputTokens'],
    ['parts alone stand for their whole', whole, { cacheReadTokens: '4' }, '40 USD'],
    [
      'every unit without a price is named',
      [price('images', '1')],
      { ...all, images: '1', seconds: '1' },
      'unpriced: seconds, inputTokens, outputTokens',
    ],
    ['zero needs no price', [price('images', '1')], { images: '2', inputTokens: '0', seconds: '0' }, '2 USD'],
    ['nothing at all costs nothing', [], { inputTokens: '0' }, '0 USD'],
    ['the total is input and output', [price('totalTokens', '1')], all, '12 USD'],
    ['the total said outright', [price('totalTokens', '1')], { totalTokens: '9' }, '9 USD'],
    [
      'the total beyond input and output',
      [...whole, price('totalTokens', '1')],
      { inputTokens: '1', outputTokens: '1', totalTokens: '5' },
      '113 USD',
    ],
    ['own prices are carved out of the total', [price('totalTokens', '1'), price('outputTokens', '100'), ...parts], all, '2307 USD'],
    ['a total without any price', [], { totalTokens: '9' }, 'unpriced: totalTokens'],
    [
      'a condition on the derived total',
      [price('inputTokens', '1', { when: { totalTokens: { gte: '12', lte: '12' } } }), ...whole],
      all,
      '507 USD',
    ],
  ])('%s', (_, prices, quantities, expected) => {
    expect(outcome(tokens(quantities), given(priceList(1, prices)))).toBe(expected);
  });

  test.each([
    ['gt', '100', '1'],
    ['gt', '101', '9'],
    ['gte', '99', '1'],
    ['gte', '100', '9'],
    ['lt', '100', '1'],
    ['lt', '99', '9'],
    ['lte', '101', '1'],
    ['lte', '100', '9'],
  ])('%s 100 at %s', (relation, quantity, expected) => {
    const tier = price('requests', '9', { when: { inputTokens: { [relation]: '100' } } });
    const definitions = given(priceList(1, [price('requests', '1'), tier, price('inputTokens', '0')]));
    expect(outcome(tokens({ requests: '1', inputTokens: quantity }), definitions)).toBe(`${expected} USD`);
  });
});

describe('exactness', () => {
  test.each<[string, Price[], Record<string, string>, string]>([
    ['IN-B20 a tie goes to the even pico: 0.5', [price('requests', '0.0000000000005')], { requests: '1' }, '0 USD'],
    ['IN-B20 a tie goes to the even pico: 1.5', [price('requests', '0.0000000000005')], { requests: '3' }, '0.000000000002 USD'],
    ['IN-B20 a tie goes to the even pico: 2.5', [price('requests', '0.0000000000005')], { requests: '5' }, '0.000000000002 USD'],
    [
      'only the whole event is rounded',
      [price('inputTokens', '0.0000000000004'), price('outputTokens', '0.0000000000004')],
      { inputTokens: '1', outputTokens: '1' },
      '0.000000000001 USD',
    ],
    ['a third, three times', [price('requests', '1', { per: 3 })], { requests: '3' }, '1 USD'],
    [
      'thirds and sevenths together',
      [price('requests', '1', { per: 3 }), price('images', '1', { per: 7 })],
      { requests: '1', images: '1' },
      '0.47619047619 USD',
    ],
    [
      '24 fraction digits of price and quantity',
      [price('seconds', '0.000000000000000000000001')],
      { seconds: '1000000000000.5' },
      '0.000000000001 USD',
    ],
    ['per a million', [price('inputTokens', '2.50', { per: 1_000_000 })], { inputTokens: '1200' }, '0.003 USD'],
    ['more than one event may carry', [price('requests', '1000000000000')], { requests: '1000001' }, 'unpriced: requests'],
  ])('%s', (_, prices, quantities, expected) => {
    expect(outcome(tokens(quantities), given(priceList(1, prices)))).toBe(expected);
  });
});

describe('currencies of lists', () => {
  const event = tokens({ inputTokens: '1', outputTokens: '1' });
  const usd = priceList(1, [price('inputTokens', '1'), price('outputTokens', '1')]);

  test('the list decides the currency', () => {
    expect(outcome(event, given(priceList(2, [price('inputTokens', '2'), price('outputTokens', '2')], { currency: 'EUR' })))).toBe('4 EUR');
  });

  test('when the winners disagree, a currency that prices all of it is taken', () => {
    expect(outcome(event, given(usd, priceList(2, [price('inputTokens', '2')], { currency: 'EUR' })))).toBe('2 USD');
  });

  test('when none does, it waits', () => {
    const eur = priceList(2, [price('outputTokens', '2')], { currency: 'EUR' });
    expect(outcome(event, given(priceList(1, [price('inputTokens', '1')]), eur))).toBe('unpriced: inputTokens, outputTokens');
  });
});

/** Random lists against the rule of API.md read aloud: gather everything, sort, take the first. */
describe('any lists', () => {
  const words = fc.constantFrom('a', 'ab', 'b');
  const globs = fc.constantFrom('a', 'ab', 'b', 'a*', '*');
  const match = fc.dictionary(fc.constantFrom('model', 'provider', 'region'), globs, { maxKeys: 3 });
  const when = fc.option(
    fc.record(
      { inputTokens: fc.record({ gt: fc.constantFrom('0', '5', '10') }), requests: fc.record({ lte: fc.constantFrom('0', '5') }) },
      { requiredKeys: [] },
    ),
    { nil: undefined },
  );
  const prices = fc.array(
    fc.record({
      meter: fc.constantFrom('llm.tokens', 'other'),
      match,
      unit: fc.constantFrom('inputTokens', 'requests', 'cacheReadTokens'),
      amount: fc.constantFrom('0.000000000000000000000007', '0.0000000000013', '3', '11', '0'),
      per: fc.constantFrom(1, 3, 1000),
      when,
    }),
    { maxLength: 8 },
  );
  const lists = fc.array(fc.tuple(prices, fc.constantFrom('2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z', '2026-01-01T00:00:00Z')), {
    maxLength: 4,
  });
  const quantities = fc.record({
    inputTokens: fc.nat(12).map((n) => String(n + 3)),
    cacheReadTokens: fc.nat(3).map(String),
    requests: fc.nat(9).map(String),
  });

  test('cost what the rule says', () => {
    fc.assert(
      fc.property(
        lists,
        quantities,
        fc.dictionary(fc.constantFrom('model', 'provider', 'region'), words),
        fc.nat(5),
        (all, amounts, dimensions, position) => {
          const events = all.map(([entries, effectiveFrom], index) => priceList(index + 1, entries, { effectiveFrom }));
          const definitions = given(...(position % 2 === 0 ? events : events.toReversed()));
          const usage = tokens(amounts, dimensions);
          expect(outcome(usage, definitions, position)).toBe(spoken(all.slice(0, position), usage));
        },
      ),
      { numRuns: 400 },
    );
  });
});

const spoken = (lists: readonly (readonly [readonly Price[], string])[], usage: Rateable): string => {
  const quantities = usage.quantities ?? {};
  const amount = (unit: string): number => Number(quantities[unit] ?? '0');
  const candidates = lists.flatMap(([prices, from], created) => prices.map((entry, index) => ({ entry, from, created, index })));
  const best = (unit: string): Price | undefined => {
    const fitting = candidates.filter(({ entry, from }) => {
      const keysFit = Object.entries(entry.match).every(
        ([key, glob]) => usage.dimensions?.[key] !== undefined && globMatches(glob, usage.dimensions[key]),
      );
      const { inputTokens, requests } = entry.when ?? {};
      const conditions = amount('inputTokens') > Number(inputTokens?.gt ?? '-1') && amount('requests') <= Number(requests?.lte ?? '99');
      return (
        entry.unit === unit && entry.meter === usage.meter && parseInstant(from) <= parseInstant(usage.occurredAt) && keysFit && conditions
      );
    });
    const rank = ({ entry, from, created, index }: (typeof fitting)[number]): number[] => [
      Object.keys(entry.when ?? {}).length > 0 ? 1 : 0,
      Object.keys(entry.match).length,
      Object.values(entry.match).filter((glob) => !glob.includes('*')).length,
      Date.parse(from),
      created,
      index,
    ];
    fitting.sort(
      (a, b) =>
        rank(b)
          .map((value, place) => value - (rank(a)[place] ?? 0))
          .find((difference) => difference !== 0) ?? 0,
    );
    return fitting[0]?.entry;
  };
  const lines: [string, number][] = [['requests', amount('requests')]];
  const cached = amount('cacheReadTokens') > 0 && best('cacheReadTokens') !== undefined ? amount('cacheReadTokens') : 0;
  lines.push(['cacheReadTokens', cached], ['inputTokens', amount('inputTokens') - cached]);
  const missing = lines.filter(
    ([unit]) => (unit === 'inputTokens' || amount(unit) > 0) && unit !== 'cacheReadTokens' && best(unit) === undefined,
  );
  if (missing.length > 0) return `unpriced: ${missing.map(([unit]) => unit).join(', ')}`;
  // In 3,000ths of 10^-24, so that every `per` divides evenly.
  const scaled = lines.reduce((sum, [unit, quantity]) => {
    const { amount: text = '0', per = 1 } = best(unit) ?? {};
    return sum + (quantity === 0 ? 0n : (parseDecimal(text, 24) * BigInt(quantity) * 3000n) / BigInt(per));
  }, 0n);
  const unitsPerPico = (3000n * 10n ** 24n) / PICOS_PER_UNIT;
  const [down, rest] = [scaled / unitsPerPico, scaled % unitsPerPico];
  const up = rest * 2n > unitsPerPico || (rest * 2n === unitsPerPico && down % 2n === 1n);
  return `${formatDecimal(up ? down + 1n : down, 12)} USD`;
};

describe('a fallback price', () => {
  const settings = (position: number, changes: Partial<TenantSettings>) =>
    recorded('TenantSettingsChanged', position, { settings: { ...DEFAULT_SETTINGS, ...changes } });
  const fallback = { unit: '*', amount: '2', currency: 'USD', per: 1 };
  const event = (position: number) =>
    usage(position, { meter: 'm', quantities: { requests: '3', seconds: '5' }, dimensions: { model: 'm' } });
  const costAt = (definitions: TenantDefinitions, position: number, pricesAt = position) => {
    const { cost } = charge(event(position), definitions, position, pricesAt);
    return cost === null ? null : [formatPicos(cost.picos), cost.currency];
  };

  test('is what a unit without a price costs from its position on, and never before', () => {
    const definitions = given(
      priceList(1, [price('requests', '10', { meter: 'm' })]),
      settings(5, { unpricedPolicy: 'fallback_price', fallbackPrice: fallback }),
      settings(8, { unpricedPolicy: 'count_when_priced', fallbackPrice: fallback }),
    );
    expect([4, 5, 7, 8].map((position) => costAt(definitions, position))).toEqual([null, ['40', 'USD'], ['40', 'USD'], null]);
  });

  test('waiting usage goes by the policy of its own position, whatever prices come later', () => {
    const definitions = given(
      settings(5, { unpricedPolicy: 'fallback_price', fallbackPrice: fallback }),
      priceList(6, [price('requests', '10', { meter: 'm' })]),
    );
    expect(costAt(definitions, 2, 6)).toBe(null);
    expect(costAt(definitions, 5)).toEqual(['16', 'USD']);
  });

  test('is of the units it names, and of one currency with the rest', () => {
    const lists = priceList(1, [price('requests', '10', { meter: 'm' })], { currency: 'EUR' });
    const named = given(
      lists,
      settings(2, { unpricedPolicy: 'fallback_price', fallbackPrice: { ...fallback, unit: 'sec*', currency: 'EUR' } }),
    );
    expect(costAt(named, 3)).toEqual(['40', 'EUR']);
    const other = given(
      lists,
      settings(2, { unpricedPolicy: 'fallback_price', fallbackPrice: { ...fallback, unit: 'tokens', currency: 'EUR' } }),
    );
    expect(costAt(other, 3)).toBe(null);
    // The list prices half of it in euros, the fallback can price all of it in dollars.
    const dollars = given(lists, settings(2, { unpricedPolicy: 'fallback_price', fallbackPrice: fallback }));
    expect(costAt(dollars, 3)).toEqual(['16', 'USD']);
  });
});
