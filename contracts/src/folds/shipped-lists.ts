import type { Price } from '../events/tenant.js';
import { PUBLIC_LLM } from './data/public-llm.js';

/** A price list that comes with Bursar: loaded into the ledger in full, so that an upgrade of the file changes no history. */
export type ShippedList = Readonly<{ name: ShippedListName; currency: string; effectiveFrom: string; prices: readonly Price[] }>;
export const SHIPPED_LISTS = ['public-llm', 'agents'] as const;
export type ShippedListName = (typeof SHIPPED_LISTS)[number];

/** In force from the first instant there is. */
const ALWAYS = '1970-01-01T00:00:00Z';

/** The list of that name, or null. */
export const shippedList = (name: string): ShippedList | null => {
  if (name === 'agents') return { name, currency: 'USD', effectiveFrom: ALWAYS, prices: AGENT_PRICES };
  return name === 'public-llm' ? { name, currency: 'USD', effectiveFrom: ALWAYS, prices: publicLlmPrices() } : null;
};

/** USD per 1,000 totalTokens (PRODUCT A5). */
const PER_AGENT = { content: '0.04', seo: '0.03', email: '0.05', ad: '0.06', design: '0.07', other: '0.04' };
const AGENT_PRICES: readonly Price[] = Object.entries(PER_AGENT).map(([agent, amount]) => ({
  meter: 'agent.tokens',
  match: { agent },
  unit: 'totalTokens',
  amount,
  per: 1000,
}));

/** One model of data/public-llm.ts: unit → USD per token; `above`: more input tokens than this → prices instead. */
type CompactModel = Readonly<{
  prices: Readonly<Record<string, string>>;
  above?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}>;

let publicLlm: readonly Price[] | undefined;
const publicLlmPrices = (): readonly Price[] => {
  publicLlm ??= readPublicLlm();
  return publicLlm;
};

const readPublicLlm = (): readonly Price[] => {
  const models = JSON.parse(PUBLIC_LLM) as Readonly<Record<string, CompactModel>>;
  return Object.entries(models).flatMap(([model, entry]) => expandModel(model, entry));
};

/** The entries of one model; a tier's own prices come with a `when`, so they beat the base prices. */
const expandModel = (model: string, { prices, above = {} }: CompactModel): readonly Price[] => {
  const entry = (unit: string, amount: string): Price => ({ meter: 'llm.tokens', match: { model }, unit, amount, per: 1 });
  const base = Object.entries(prices).map(([unit, amount]) => entry(unit, amount));
  const tiers = Object.entries(above).flatMap(([tokens, tier]) =>
    Object.entries(tier).map(([unit, amount]) => ({ ...entry(unit, amount), when: { inputTokens: { gt: tokens } } })),
  );
  return [...base, ...tiers];
};
