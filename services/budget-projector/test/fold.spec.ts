import { formatPicos, type LedgerEvent, parseInstant, parsePicos, type ThresholdDefinition } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryLedger } from './support/memory-ledger.js';
import { MemoryTables } from './support/memory-tables.js';
import { expectedBalances, liveBudgets } from './support/oracle.js';
import { type Step, story, type Turn } from './support/stories.js';
import { Driver, World } from './support/world.js';

const RUNS = 300;
type Story = readonly (Step | Turn)[];

const isStep = (one: Step | Turn): one is Step => 'do' in one;

/** Lets the story happen, with the projector running, dying and starting as it says; then lets it finish. */
const live = async (told: Story, limits?: ConstructorParameters<typeof Driver>[2]) => {
  const ledger = new MemoryLedger();
  const world = new World(ledger);
  const tables = new MemoryTables();
  const driver = new Driver(tables, ledger, limits);
  for (const one of told) {
    if (isStep(one)) world.take(one);
    else await driver.take(one);
  }
  await driver.settle();
  return { ledger, tables };
};

const balancesOf = (tables: MemoryTables): unknown =>
  [...tables.balances.values()]
    .filter(({ tenant, budgetId }) => tables.budgets.get(`${tenant}\u0000${budgetId}`)?.deleted === false)
    .map(({ budgetId, periodStart, spend, events, failedSpend, waiting }) =>
      [budgetId, periodStart, spend, events, failedSpend, waiting].join(' '),
    )
    .sort();

const oracleOf = (events: readonly LedgerEvent[]): unknown =>
  [...expectedBalances(events)]
    .flatMap(([budgetId, totals]) =>
      [...totals].map(([start, { spend, events: count, failed, waiting }]) =>
        [budgetId, start, formatPicos(spend), count, formatPicos(failed), waiting].join(' '),
      ),
    )
    .sort();

describe('whatever happens, in whatever order the projector folds, commits, dies and counts', () => {
  test('balances equal those of a bigint oracle over the whole history', () =>
    fc.assert(
      fc.asyncProperty(story(), async (told) => {
        const { ledger, tables } = await live(told);
        expect(balancesOf(tables)).toEqual(oracleOf(ledger.events));
      }),
      { numRuns: RUNS },
    ));

  test('a rebuild from the ledger alone equals the live tables, row for row, and says nothing new', () =>
    fc.assert(
      fc.asyncProperty(story(), fc.integer({ min: 1, max: 50 }), async (told, batch) => {
        const { ledger, tables } = await live(told);
        const head = ledger.events.length;
        const rebuilt = new MemoryTables();
        const driver = new Driver(rebuilt, ledger);
        while ((await driver.fold(batch)) > 0) await driver.commit();
        await driver.settle();
        expect(rebuilt.digest()).toEqual(tables.digest());
        expect(rebuilt.rollups).toEqual(tables.rollups);
        expect(ledger.events.length).toBe(head);
      }),
      { numRuns: RUNS },
    ));

  test('state that is evicted after every step and read back equals state that stays', () =>
    fc.assert(
      fc.asyncProperty(story(), async (told) => {
        const evicting = told.flatMap((one) => (isStep(one) ? [one] : [one, { turn: 'commit' as const }, { turn: 'evict' as const }]));
        const small = await live(evicting, { tenants: 0, periods: 0 });
        const large = await live(told.map((one) => (isStep(one) || one.turn !== 'evict' ? one : { turn: 'fold', events: 0 })));
        expect(balancesOf(small.tables)).toEqual(balancesOf(large.tables));
      }),
      { numRuns: RUNS },
    ));

  test('each threshold is crossed once per episode, and ends up as its spend says', () =>
    fc.assert(
      fc.asyncProperty(story(), async (told) => {
        const { ledger, tables } = await live(told);
        for (const [key, said] of episodesOf(ledger.events)) expect([key, said]).toEqual([key, alternating(said.length)]);
        expect(crossedIn(tables, ledger.events)).toEqual(reachedIn(ledger.events));
      }),
      { numRuns: RUNS },
    ));

  test('any rollup of the root adds up to what was used, and every event is in it', () =>
    fc.assert(
      fc.asyncProperty(story(), async (told) => {
        const { ledger, tables } = await live(told);
        const usage = ledger.events.filter(({ type }) => type === 'UsageRecorded');
        const cells = [...tables.rollups].filter(([id]) => id.includes('tenant:acme')).map(([, cell]) => cell);
        expect(cells.reduce((sum, { events }) => sum + events, 0)).toBe(usage.length);
        const waiting = [...tables.waitingRows.values()].filter(({ projection }) => projection === 'breakdown').length;
        expect(cells.reduce((sum, { unpriced }) => sum + unpriced, 0)).toBe(waiting);
      }),
      { numRuns: 100 },
    ));
});

const episodesOf = (events: readonly LedgerEvent[]): Map<string, string[]> => {
  const said = new Map<string, string[]>();
  for (const event of events) {
    if (event.type !== 'ThresholdCrossed' && event.type !== 'ThresholdCleared') continue;
    const { budgetId, periodStart, threshold, episode } = event.data;
    const key = `${budgetId} ${periodStart} ${threshold}`;
    said.set(key, [...(said.get(key) ?? []), `${event.type} ${episode}`]);
  }
  return said;
};

const alternating = (length: number): string[] =>
  Array.from({ length }, (_, index) => `${index % 2 === 0 ? 'ThresholdCrossed' : 'ThresholdCleared'} ${Math.floor(index / 2) + 1}`);

/** As the tables say, of the thresholds that are judged. */
const crossedIn = (tables: MemoryTables, events: readonly LedgerEvent[]): unknown =>
  judged(events)
    .filter(({ budgetId, start, one }) => tables.thresholds.get(['acme', budgetId, start, keyOf(one)].join('\u0000'))?.crossed === true)
    .map(({ name }) => name);

/** As the oracle's spend says. */
const reachedIn = (events: readonly LedgerEvent[]): unknown =>
  judged(events)
    .filter(({ one, spend, limit }) => isReached(one, spend, limit))
    .map(({ name }) => name);

/** Every threshold of every period with usage that ended after its budget's creation, by the definition in force until the period's end. */
const judged = (events: readonly LedgerEvent[]) => {
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

const keyOf = ({ percent, amount }: ThresholdDefinition): string => (amount === undefined ? `${percent}%` : `amount:${amount}`);
const isReached = ({ percent, amount }: ThresholdDefinition, spend: bigint, limit: bigint | null): boolean => {
  if (limit === 0n) return spend > 0n;
  if (amount !== undefined) return spend >= parsePicos(amount);
  return limit !== null && spend * 100n >= BigInt(percent ?? '0') * limit;
};
