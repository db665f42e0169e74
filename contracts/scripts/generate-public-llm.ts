/**
 * Makes data/public-llm.json (the shipped price list, one model a line so that a new snapshot reads well in a diff) from
 * data/model-prices.json.gz. Run from anywhere: `node contracts/scripts/generate-public-llm.ts`. A test fails when it is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

type SourceModel = Readonly<Record<string, string | number>>;
type Source = Readonly<{ meta: Readonly<{ source: string }>; models: Readonly<Record<string, SourceModel>> }>;

/** Field of the price map → unit of ours. Prices of batches, priority, flex, audio and one-hour cache writes are left out. */
const UNITS = {
  input_cost_per_token: 'inputTokens',
  output_cost_per_token: 'outputTokens',
  cache_read_input_token_cost: 'cacheReadTokens',
  cache_creation_input_token_cost: 'cacheWriteTokens',
  output_cost_per_reasoning_token: 'reasoningTokens',
};
/** Suffix of a field → input tokens above which its price holds. */
const TIERS = { _above_128k_tokens: '128000', _above_200k_tokens: '200000', _above_272k_tokens: '272000' };

/** The whole text of public-llm.json. */
export const publicLlmFile = (): string => {
  const { meta, models } = JSON.parse(gunzipSync(readFileSync(dataFile('model-prices.json.gz'))).toString('utf8')) as Source;
  const lines = Object.entries(models).map(([model, source]) => `  ${JSON.stringify(model)}: ${JSON.stringify(compact(source))}`);
  const head = { source: meta.source, unit: 'USD per token', licence: 'MIT, see README.md' };
  return `${JSON.stringify(head).slice(0, -1)},"models":{\n${lines.join(',\n')}\n}}\n`;
};

const compact = (source: SourceModel): object => {
  const above = Object.entries(TIERS).map(([suffix, tokens]) => [tokens, pick(source, suffix)] as const);
  const tiers = above.filter(([, prices]) => Object.keys(prices).length > 0);
  return { prices: pick(source, ''), ...(tiers.length > 0 ? { above: Object.fromEntries(tiers) } : {}) };
};

const pick = (source: SourceModel, suffix: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(UNITS).flatMap(([field, unit]) => {
      const price = source[`${field}${suffix}`];
      return typeof price === 'string' ? [[unit, price]] : [];
    }),
  );

const dataFile = (name: string): URL => new URL(`../data/${name}`, import.meta.url);

if (import.meta.main) writeFileSync(dataFile('public-llm.json'), publicLlmFile());
