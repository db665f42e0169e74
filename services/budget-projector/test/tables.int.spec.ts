import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Changes } from '../src/domain/changes.js';
import { toBatch } from '../src/features/batches.js';
import { FencedError } from '../src/features/projection-tables.js';
import { areEpisodes, episodesOf, judged, keyOf, oracleLines, reachedIn } from './support/expectations.js';
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
        for (const [key, said] of episodesOf(ledger.events)) expect([key, said, areEpisodes(said)]).toEqual([key, said, true]);
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

test('who was overtaken writes nothing: neither at the old position nor in the old epoch', async () => {
  await wipe(at.db);
  const nothing = toBatch(new Changes());
  const first = await at.tables.take('budget', 0);
  const moved = await at.tables.commit(first, { ...nothing, position: 3 });
  await expect(at.tables.commit(first, { ...nothing, position: 5 })).rejects.toThrow(FencedError);
  const second = await at.tables.take('budget', 0);
  expect(second).toEqual({ ...moved, epoch: moved.epoch + 1 });
  const emitted = [{ stream: 's', id: '00000000-0000-8000-8000-000000000000', type: 'BudgetCounted', version: 1, data: '{}', meta: '{}' }];
  await expect(at.tables.commit(moved, { ...nothing, position: 5, emitted })).rejects.toThrow(FencedError);
  expect(await at.tables.outbox(0)).toEqual([]);
  await at.tables.commit(second, { ...nothing, position: 5, emitted });
  expect(await at.tables.outbox(0)).toEqual(emitted);
  const breakdown = await at.tables.take('breakdown', 0);
  await at.tables.take('breakdown', 0);
  const cells = { position: 1, events: 1, rollups: [], waiting: [], settled: [], quarantined: [] };
  await expect(at.tables.commitBreakdown(breakdown, cells)).rejects.toThrow(FencedError);
});
