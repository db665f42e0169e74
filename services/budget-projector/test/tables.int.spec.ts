import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { alternating, episodesOf, judged, keyOf, oracleLines, reachedIn } from './support/expectations.js';
import { MemoryLedger } from './support/memory-ledger.js';
import { balanceLines, type Real, real, wipe } from './support/real.js';
import { story } from './support/stories.js';
import { Driver, World } from './support/world.js';

let at: Real;
beforeAll(async () => {
  at = await real();
});
afterAll(() => at.close());

/** The same stories as of the pure fold, with the real tables: what is written, forgotten and read back is what the maps hold. */
test(
  'whatever happens and wherever it dies, the tables of PostgreSQL equal the oracle',
  () =>
    fc.assert(
      fc.asyncProperty(story(), async (told) => {
        await wipe(at.db);
        const ledger = new MemoryLedger();
        const world = new World(ledger);
        const driver = new Driver(at.tables, ledger, { tenants: 0, periods: 0 });
        for (const one of told) {
          if ('do' in one) world.take(one);
          else await driver.take(one);
        }
        await driver.settle();
        expect(await balanceLines(at.db)).toEqual(oracleLines(ledger.events));
        for (const [key, said] of episodesOf(ledger.events)) expect([key, said]).toEqual([key, alternating(said.length)]);
        const crossed = await at.db.selectFrom('projection.threshold').selectAll().where('crossed', '=', true).execute();
        const keys = new Set(crossed.map(({ budget_id, period_start, threshold }) => `${budget_id} ${period_start} ${threshold}`));
        const listed = judged(ledger.events).filter(({ budgetId, start, one }) => keys.has(`${budgetId} ${start} ${keyOf(one)}`));
        expect(listed.map(({ name }) => name)).toEqual(reachedIn(ledger.events));
        const records = await at.db.selectFrom('projection.crossing').select(['position', 'cleared_at']).execute();
        expect(records.length).toBe(ledger.events.filter(({ type }) => type === 'ThresholdCrossed').length);
        expect(records.filter(({ cleared_at }) => cleared_at !== null).length).toBe(
          ledger.events.filter(({ type }) => type === 'ThresholdCleared').length,
        );
        expect(await at.db.selectFrom('projection.outbox').selectAll().execute()).toEqual([]);
      }),
      { numRuns: 40 },
    ),
  120_000,
);
