import { type LedgerEvent, rootScope } from '@bursar/contracts';
import { AUTO_PAUSE, evolveDefinitions, listScopes, TenantDefinitions } from '@bursar/contracts/folds';
import { LeaseLostError } from '@bursar/leases';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Changes } from '../src/domain/changes.js';
import { toBatch } from '../src/features/batches.js';
import { FencedError } from '../src/features/projection-tables.js';
import { Driver } from './support/driver.js';
import { areEpisodes, episodesOf, judged, keyOf, oracleLines, reachedIn } from './support/expectations.js';
import { KEY, seize } from './support/leases.js';
import { MemoryLedger } from './support/memory-ledger.js';
import { balanceLines, type Real, real, wipe } from './support/real.js';
import { story } from './support/stories.js';
import { TENANT, World } from './support/world.js';

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
        const driver = new Driver(at.tables, ledger, { tenants: 0, definitions: 0, periods: 0 });
        for (const one of told) {
          if ('do' in one) world.take(one);
          else await driver.take(one);
        }
        await driver.settle();
        expect(await balanceLines(at.db)).toEqual(oracleLines(ledger.events));
        for (const [key, said] of episodesOf(ledger.events)) expect([key, said, areEpisodes(said)]).toEqual([key, said, true]);
        const latches = at.db.selectFrom('projection.threshold').selectAll().where('crossed', '=', true);
        const crossed = await latches.where('threshold', '!=', AUTO_PAUSE).execute();
        const keys = new Set(crossed.map(({ budget_id, period_start, threshold }) => `${budget_id} ${period_start} ${threshold}`));
        const listed = judged(ledger.events).filter(({ budgetId, start, one }) => keys.has(`${budgetId} ${start} ${keyOf(one)}`));
        expect(listed.map(({ name }) => name)).toEqual(reachedIn(ledger.events));
        const records = await at.db.selectFrom('projection.crossing').selectAll().execute();
        const said = ledger.events.filter(({ type }) => type === 'ThresholdCrossed');
        expect(records.map(({ alert_id, position }) => `${alert_id} ${position}`).sort()).toEqual(
          said.map(({ id, position }) => `${id} ${position}`).sort(),
        );
        const standing = records.filter(({ cleared_at }) => cleared_at === null);
        expect(standing.map(crossingKey).sort()).toEqual(crossed.map(crossingKey).sort());
        expect(await at.db.selectFrom('projection.outbox').selectAll().execute()).toEqual([]);
        await expectTree(ledger.events);
      }),
      { numRuns: 40 },
    ),
  120_000,
);

/** Edges and mentions are those of the registry, and nobody who spends or has a budget is left out. */
const expectTree = async (events: readonly LedgerEvent[]): Promise<void> => {
  const definitions = new TenantDefinitions(TENANT);
  for (const event of events) evolveDefinitions(definitions, event);
  const scopes = listScopes(definitions);
  const root = rootScope(TENANT);
  const edges = await at.db.selectFrom('projection.scope_edge').selectAll().execute();
  expect(edges.map(({ parent, scope }) => `${parent} ${scope}`).sort()).toEqual(
    scopes.flatMap(({ scope, parents }) => (parents.length === 0 ? [root] : parents).map((parent) => `${parent} ${scope}`)).sort(),
  );
  const mentions = await at.db.selectFrom('projection.scope_mention').selectAll().execute();
  const registered = mentions.filter((row) => row.registered).map(({ scope }) => scope);
  expect(registered.sort()).toEqual(scopes.map(({ scope }) => scope).sort());
  const spenders = await at.db.selectFrom('projection.scope_spend').select('scope').execute();
  const budgets = await at.db.selectFrom('projection.budget').select('scope').execute();
  const mentioned = new Set(mentions.map(({ scope }) => scope));
  expect(
    [...spenders, ...budgets, ...edges.map(({ parent }) => ({ scope: parent }))].filter(
      ({ scope }) => scope !== root && !mentioned.has(scope),
    ),
  ).toEqual([]);
};

const crossingKey = (row: { budget_id: string; period_start: string; threshold: string; episode: number }): string =>
  `${row.budget_id} ${row.period_start} ${row.threshold} ${row.episode}`;

test('who was overtaken writes nothing: neither at the old position nor in the old epoch', async () => {
  await wipe(at.db);
  const nothing = toBatch(new Changes());
  const first = await at.tables.take('budget', KEY);
  const moved = await at.tables.commit(first, { ...nothing, position: 3 });
  await expect(at.tables.commit(first, { ...nothing, position: 5 })).rejects.toThrow(FencedError);
  const second = await at.tables.take('budget', KEY);
  expect(second).toEqual({ ...moved, epoch: moved.epoch + 1 });
  const emitted = [{ stream: 's', id: '00000000-0000-8000-8000-000000000000', type: 'BudgetCounted', version: 1, data: '{}', meta: '{}' }];
  await expect(at.tables.commit(moved, { ...nothing, position: 5, emitted })).rejects.toThrow(FencedError);
  expect(await at.tables.outbox(0)).toEqual([]);
  await at.tables.commit(second, { ...nothing, position: 5, emitted });
  expect(await at.tables.outbox(0)).toEqual(emitted);
  const breakdown = await at.tables.take('breakdown', KEY);
  await at.tables.take('breakdown', KEY);
  const cells = { position: 1, events: 1, rollups: [], waiting: [], settled: [], quarantined: [] };
  await expect(at.tables.commitBreakdown(breakdown, cells)).rejects.toThrow(FencedError);
});

test('who has not the lease raises no epoch: the owner goes on undisturbed', async () => {
  await wipe(at.db);
  const owner = await seize(at.db, { ...KEY, owner: 'owner' });
  const fence = await at.tables.take('budget', owner);
  await expect(at.tables.take('budget', KEY)).rejects.toThrow(LeaseLostError);
  await expect(at.tables.take('budget', { ...owner, epoch: owner.epoch - 1 })).rejects.toThrow(LeaseLostError);
  await expect(at.tables.take('breakdown', { ...owner, partition: 1 })).rejects.toThrow(LeaseLostError);
  await at.tables.commit(fence, { ...toBatch(new Changes()), position: 1 });
});

test('usage that waits for a rate waits for every budget it was added for, until that budget is counted anew', async () => {
  await wipe(at.db);
  const nothing = toBatch(new Changes());
  const event =
    '{"occurredAt":"2026-03-01T00:00:00Z","effectiveAt":"2026-03-01T00:00:00Z","cost":{"amount":"1","currency":"USD"},"failed":false}';
  const row = (budgetId: string) => ({ tenant: 'acme', position: 5, reason: 'rate' as const, budgetIds: [budgetId], event });
  const waiting = async () =>
    (await at.tables.waiting('budget', 'acme', 'rate', 0, 10)).flatMap((one) => (one.reason === 'rate' ? one.budgetIds : []));
  const odd = 'b,"c\\d}';
  let fence = await at.tables.take('budget', KEY);
  fence = await at.tables.commit(fence, { ...nothing, position: 1, waiting: [row('a'), row(odd)] });
  fence = await at.tables.commit(fence, { ...nothing, position: 2, waiting: [row('z')] });
  expect(await waiting()).toEqual(['a', odd, 'z']);
  fence = await at.tables.commit(fence, { ...nothing, position: 3, recounted: [{ tenant: 'acme', budgetId: odd }] });
  expect(await waiting()).toEqual(['a', 'z']);
  fence = await at.tables.commit(fence, { ...nothing, position: 4, stillWaiting: [row('z')] });
  expect(await waiting()).toEqual(['z']);
  await at.tables.commit(fence, { ...nothing, position: 5, recounted: [{ tenant: 'acme', budgetId: 'z' }] });
  expect(await at.db.selectFrom('projection.waiting').selectAll().execute()).toEqual([]);
});
