import { formatPicos, type LedgerEvent, parseInstant, parsePicos, type ThresholdDefinition } from '@bursar/contracts';
import { expectedBalances, liveBudgets } from './oracle.js';

/** `budget period spend events failed waiting`, sorted. */
export const oracleLines = (events: readonly LedgerEvent[]): readonly string[] =>
  [...expectedBalances(events)]
    .flatMap(([budgetId, totals]) =>
      [...totals].map(([start, { spend, events: count, failed, waiting }]) =>
        [budgetId, start, formatPicos(spend), count, formatPicos(failed), waiting].join(' '),
      ),
    )
    .sort();

export const episodesOf = (events: readonly LedgerEvent[]): Map<string, string[]> => {
  const said = new Map<string, string[]>();
  for (const event of events) {
    if (event.type !== 'ThresholdCrossed' && event.type !== 'ThresholdCleared') continue;
    const { budgetId, periodStart, threshold, episode } = event.data;
    const key = `${budgetId} ${periodStart} ${threshold}`;
    said.set(key, [...(said.get(key) ?? []), `${event.type} ${episode}`]);
  }
  return said;
};

/**
 * Is it what may be said of one threshold: episodes 1, 2, 3 … each crossed once, and cleared at most once, before the next? An episode
 * without a clearing ended when the threshold was removed.
 */
export const areEpisodes = (said: readonly string[]): boolean => {
  let episode = 0;
  let crossed = false;
  return said.every((text) => {
    if (text === `ThresholdCleared ${episode}` && crossed) crossed = false;
    else if (text === `ThresholdCrossed ${episode + 1}`) [episode, crossed] = [episode + 1, true];
    else return false;
    return true;
  });
};

/** As the oracle's spend says. */
export const reachedIn = (events: readonly LedgerEvent[]): unknown =>
  judged(events)
    .filter(({ one, spend, limit }) => isReached(one, spend, limit))
    .map(({ name }) => name);

/** Every threshold of every period with usage that ended after its budget's creation, by the definition in force until the period's end. */
export const judged = (events: readonly LedgerEvent[]) => {
  const now = parseInstant(events.at(-1)?.recordedAt ?? '2026-01-01T00:00:00Z');
  const balances = expectedBalances(events);
  return liveBudgets(events).flatMap(({ budgetId, createdAt, versions, definition }) =>
    [...(balances.get(budgetId) ?? [])].flatMap(([start, { spend }]) => {
      const end = endOf(start, definition.period.kind);
      if (end <= createdAt) return [];
      const judge = (end > now ? versions.at(-1) : versions.findLast(([at]) => at < end))?.[1] ?? definition;
      const limit = judge.limit.amount === null ? null : parsePicos(judge.limit.amount);
      return judge.thresholds.map((one) => ({ budgetId, start, one, spend, limit, name: `${budgetId} ${start} ${keyOf(one)}` }));
    }),
  );
};

const endOf = (start: string, kind: string): bigint => {
  const date = new Date(start);
  if (kind === 'daily') date.setUTCDate(date.getUTCDate() + 1);
  else date.setUTCMonth(date.getUTCMonth() + 1);
  return BigInt(date.getTime()) * 1_000_000n;
};

export const keyOf = ({ percent, amount }: ThresholdDefinition): string => (amount === undefined ? `${percent}%` : `amount:${amount}`);
const isReached = ({ percent, amount }: ThresholdDefinition, spend: bigint, limit: bigint | null): boolean => {
  if (limit === 0n) return spend > 0n;
  if (amount !== undefined) return spend >= parsePicos(amount);
  return limit !== null && spend * 100n >= BigInt(percent ?? '0') * limit;
};
