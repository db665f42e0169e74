import { formatPicos, parsePicos, type WireMoney } from '@bursar/contracts';

/** A sum of usage: what it cost by currency, how many events, how many of them without a price yet, and their tokens. */
export type Spend = Readonly<{
  spend: readonly WireMoney[];
  events: number;
  unpriced: number;
  inputTokens: string;
  outputTokens: string;
}>;

/** Amounts are decimal text of at most 12 fraction digits; an empty currency stands for usage without a price. */
export type SpendPart = Readonly<{
  currency: string;
  spend: string;
  events: number;
  unpriced: number;
  inputTokens: string;
  outputTokens: string;
}>;

/** Adds up exactly; currencies never mix. */
export const addSpend = (parts: readonly SpendPart[]): Spend => {
  const picos = new Map<string, bigint>();
  let [events, unpriced, inputTokens, outputTokens] = [0, 0, 0n, 0n];
  for (const part of parts) {
    if (part.currency !== '') picos.set(part.currency, (picos.get(part.currency) ?? 0n) + parsePicos(part.spend));
    events += part.events;
    unpriced += part.unpriced;
    inputTokens += parsePicos(part.inputTokens);
    outputTokens += parsePicos(part.outputTokens);
  }
  return {
    spend: [...picos].map(([currency, sum]) => ({ amount: formatPicos(sum), currency })).sort((a, b) => (a.currency < b.currency ? -1 : 1)),
    events,
    unpriced,
    inputTokens: formatPicos(inputTokens),
    outputTokens: formatPicos(outputTokens),
  };
};
