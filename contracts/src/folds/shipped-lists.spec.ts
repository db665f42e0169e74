import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { parseDecimal } from '../values/decimal.js';
import { formatPicos } from '../values/money.js';
import { given, priceList, TENANT } from './given.js';
import { rate } from './rating.js';
import { shippedList } from './shipped-lists.js';

const NOW = Number.POSITIVE_INFINITY;
const root = new URL('../../../', import.meta.url);
const publicLlm = shippedList('public-llm');
const definitions = given(priceList(1, publicLlm?.prices ?? [], { effectiveFrom: publicLlm?.effectiveFrom }));

const cost = (quantities: Record<string, string>, model: string): bigint => {
  const rating = rate({ meter: 'llm.tokens', quantities, dimensions: { model }, occurredAt: '2023-11-16T18:17:03Z' }, definitions, NOW);
  if ('cost' in rating) return rating.cost.picos;
  throw new Error(`${model} in ${TENANT} has no price for ${rating.unpriced.join(', ')}`);
};

describe('public-llm', () => {
  test.each([
    ['azure-llm-2023-code.csv.gz', 'gpt-4o', '47.608895'],
    ['azure-llm-2023-conv.csv.gz', 'gpt-4o-mini', '5.8074795'],
  ])('%s at %s comes to exactly %s USD', (file, model, expected) => {
    const text = gunzipSync(readFileSync(new URL(`scripts/data/${file}`, root))).toString('utf8');
    const rows = text.trim().split(/\r?\n/).slice(1);
    const total = rows.reduce((sum, row) => {
      const [, inputTokens = '', outputTokens = ''] = row.split(',');
      return sum + cost({ inputTokens, outputTokens }, model);
    }, 0n);
    expect(formatPicos(total)).toBe(expected);
  });

  test('keeps every digit of the price map, for each model and each unit it ships', () => {
    const fields: Record<string, string> = {
      inputTokens: 'input_cost_per_token',
      outputTokens: 'output_cost_per_token',
      cacheReadTokens: 'cache_read_input_token_cost',
      cacheWriteTokens: 'cache_creation_input_token_cost',
      reasoningTokens: 'output_cost_per_reasoning_token',
    };
    const packed = readFileSync(new URL('contracts/data/model-prices.json.gz', root));
    const { models } = JSON.parse(gunzipSync(packed).toString('utf8')) as { models: Record<string, Record<string, string>> };
    const expected = Object.entries(models).flatMap(([model, source]) =>
      ['', '_above_128k_tokens', '_above_200k_tokens', '_above_272k_tokens'].flatMap((suffix) =>
        Object.entries(fields).flatMap(([unit, field]) => {
          const amount = source[`${field}${suffix}`];
          return amount === undefined ? [] : [`${model} ${unit}${suffix} ${amount}`];
        }),
      ),
    );
    const shipped = publicLlm?.prices.map(({ match, unit, amount, when }) => {
      const tokens = when?.inputTokens?.gt;
      return `${match.model} ${unit}${tokens === undefined ? '' : `_above_${tokens.slice(0, 3)}k_tokens`} ${amount}`;
    });
    expect(shipped?.length).toBe(6055);
    expect(new Set(shipped)).toEqual(new Set(expected));
  });

  test('a long prompt goes at the higher price, cached tokens too', () => {
    const million = (quantities: Record<string, string>): string => formatPicos(cost(quantities, 'gemini-2.5-pro'));
    expect(million({ inputTokens: '200000', outputTokens: '1000' })).toBe('0.26');
    expect(million({ inputTokens: '200001', outputTokens: '1000' })).toBe('0.5150025');
    expect(million({ inputTokens: '300000', cacheReadTokens: '100000' })).toBe('0.525');
  });

  test('is in force from 1970, in USD, and every price is a decimal of at most 24 digits', () => {
    expect(publicLlm).toMatchObject({ currency: 'USD', effectiveFrom: '1970-01-01T00:00:00Z' });
    for (const { amount } of publicLlm?.prices ?? []) expect(parseDecimal(amount, 24)).toBeGreaterThanOrEqual(0n);
  });
});

describe('agents', () => {
  test.each([
    ['content', '0.06'],
    ['seo', '0.045'],
    ['email', '0.075'],
    ['ad', '0.09'],
    ['design', '0.105'],
    ['other', '0.06'],
  ])('1,500 tokens of %s cost %s USD', (agent, expected) => {
    const agents = given(priceList(1, shippedList('agents')?.prices ?? []));
    const usage = {
      meter: 'agent.tokens',
      quantities: { inputTokens: '1000', outputTokens: '500' },
      dimensions: { agent },
      occurredAt: '2025-01-01T00:00:00Z',
    };
    const rating = rate(usage, agents, NOW);
    expect('cost' in rating && formatPicos(rating.cost.picos)).toBe(expected);
  });

  test('an agent nobody priced is unpriced, not zero', () => {
    const agents = given(priceList(1, shippedList('agents')?.prices ?? []));
    const usage = {
      meter: 'agent.tokens',
      quantities: { inputTokens: '1' },
      dimensions: { agent: 'new' },
      occurredAt: '2025-01-01T00:00:00Z',
    };
    expect(rate(usage, agents, NOW)).toEqual({ unpriced: ['inputTokens'] });
  });
});

test('there is no other list', () => {
  expect(shippedList('toString')).toBeNull();
});
