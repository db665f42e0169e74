import type { LedgerEvent } from '@bursar/contracts';
import { AUTO_PAUSE } from '@bursar/contracts/folds';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Driver } from './support/driver.js';
import { areEpisodes, episodesOf, judged, keyOf, oracleLines, reachedIn } from './support/expectations.js';
import { MemoryLedger } from './support/memory-ledger.js';
import { MemoryTables } from './support/memory-tables.js';
import { costOf } from './support/oracle.js';
import { type Step, story, type Turn } from './support/stories.js';
import { World } from './support/world.js';

const RUNS = 200;
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
    expect(standingAlerts(tables)).toEqual(crossedThresholds(tables));
  }
  await driver.settle();
  expect(standingAlerts(tables)).toEqual(crossedThresholds(tables));
  return { ledger, tables };
};

/** Whoever reads at any moment sees an alert for each crossed threshold, and for no other. */
const standingAlerts = (tables: MemoryTables): unknown =>
  [...tables.crossings.values()]
    .filter(({ clearedAt }) => clearedAt === null)
    .map(({ data }) => `${data.budgetId} ${data.periodStart} ${data.threshold} ${data.episode}`)
    .sort();
const crossedThresholds = (tables: MemoryTables): unknown =>
  [...tables.thresholds.values()]
    .filter(({ crossed, threshold }) => crossed && threshold !== AUTO_PAUSE)
    .map(({ budgetId, periodStart, threshold, episode }) => `${budgetId} ${periodStart} ${threshold} ${episode}`)
    .sort();

const balancesOf = (tables: MemoryTables): unknown =>
  [...tables.balances.values()]
    .filter(({ tenant, budgetId }) => tables.budgets.get(`${tenant}\u0000${budgetId}`)?.deleted === false)
    .map(({ budgetId, periodStart, spend, events, failedSpend, waiting }) =>
      [budgetId, periodStart, spend, events, failedSpend, waiting].join(' '),
    )
    .sort();

describe('whatever happens, in whatever order the projector folds, commits, dies and counts', () => {
  test('balances equal those of a bigint oracle over the whole history', () =>
    fc.assert(
      fc.asyncProperty(story(), async (told) => {
        const { ledger, tables } = await live(told);
        expect(balancesOf(tables)).toEqual(oracleLines(ledger.events));
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

  test.each([
    { what: 'tenants', limits: { tenants: 0, definitions: 1_000, periods: 1_000 } },
    { what: 'periods', limits: { tenants: 1_000, definitions: 1_000, periods: 0 } },
  ])('$what let go after every turn and read back give the same', ({ limits }) =>
    fc.assert(
      fc.asyncProperty(story(), async (told) => {
        const evicting = told.flatMap((one): Story => (isStep(one) ? [one] : [one, { turn: 'evict' }]));
        const { ledger, tables } = await live(evicting, limits);
        expect(balancesOf(tables)).toEqual(oracleLines(ledger.events));
        expect(crossedIn(tables, ledger.events)).toEqual(reachedIn(ledger.events));
      }),
      { numRuns: RUNS },
    ),
  );

  test('each threshold is crossed once per episode, and ends up as its spend says', () =>
    fc.assert(
      fc.asyncProperty(story(), async (told) => {
        const { ledger, tables } = await live(told);
        for (const [key, said] of episodesOf(ledger.events)) expect([key, said, areEpisodes(said)]).toEqual([key, said, true]);
        expect(crossedIn(tables, ledger.events)).toEqual(reachedIn(ledger.events));
      }),
      { numRuns: RUNS },
    ));

  test('any rollup of the root adds up to what was used, and every event that was not voided is in it', () =>
    fc.assert(
      fc.asyncProperty(story(), async (told) => {
        const { ledger, tables } = await live(told);
        const count = (wanted: string): number => ledger.events.filter(({ type }) => type === wanted).length;
        const standing = count('UsageRecorded') - count('UsageVoided');
        const cells = [...tables.rollups].filter(([id]) => id.includes('tenant:acme')).map(([, cell]) => cell);
        expect(cells.reduce((sum, { events }) => sum + events, 0)).toBe(standing);
        const waiting = [...tables.waitingRows.values()].filter(({ projection }) => projection === 'breakdown').length;
        expect(cells.reduce((sum, { unpriced }) => sum + unpriced, 0)).toBe(waiting);
        expect(cells.reduce((sum, { spend }) => sum + spend, 0n)).toBe(standingCost(ledger.events));
      }),
      { numRuns: 100 },
    ));
});

/** Of all usage that was not voided, whatever its currency. */
const standingCost = (events: readonly LedgerEvent[]): bigint => {
  const voided = new Set(events.flatMap((event) => (event.type === 'UsageVoided' ? [event.data.eventId] : [])));
  return events.reduce(
    (sum, event) => (event.type === 'UsageRecorded' && !voided.has(event.id) ? sum + (costOf(event, events)?.picos ?? 0n) : sum),
    0n,
  );
};

/** As the tables say, of the thresholds that are judged. */
const crossedIn = (tables: MemoryTables, events: readonly LedgerEvent[]): unknown =>
  judged(events)
    .filter(({ budgetId, start, one }) => tables.thresholds.get(['acme', budgetId, start, keyOf(one)].join('\u0000'))?.crossed === true)
    .map(({ name }) => name);
