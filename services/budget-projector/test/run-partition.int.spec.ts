import { budgetStream, contentHash, derivedId, holdsStream, NS_PER_MS, usageStream } from '@bursar/contracts';
import { type TestDatabase, testDatabase } from '@bursar/embedded';
import { Lease } from '@bursar/leases';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { StoreLedger } from '../src/adapters/store/store-ledger.js';
import { ProcessShare } from '../src/features/process-share.js';
import { PartitionRunner, type Tuning } from '../src/features/run-partition.js';
import { expectExactBalances, untilCaughtUp } from './support/exact.js';
import { type Crossing, FailingLedger, failingTables, Heard, InjectedFault } from './support/faults.js';
import { KEY, lastingLease, seize } from './support/leases.js';
import { append, balanceLines, eventually, ledgerOf, publish, type Real, real } from './support/real.js';
import { definitionOf, type Step, steps } from './support/stories.js';

/** Small batches and no pauses, so that a short story has many commits. */
const TUNING: Tuning = {
  retryMs: 2,
  maxEvents: 5,
  pauseMs: 0,
  breakdownPauseMs: 0,
  mostPending: 50,
  now: () => BigInt(Date.now()) * NS_PER_MS,
};

/** Next to nothing stays in memory. */
const share = (): ProcessShare => new ProcessShare({ tenants: 1, definitions: 3, periods: 3 });

const opened: Real[] = [];
let at: Real;
const stops: AbortController[] = [];
const done: Promise<void>[] = [];
let owners = 0;

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase(); // keeps the server up from one test to the next
});
afterAll(() => server.drop());
beforeEach(async () => {
  at = await real();
  opened.push(at);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  await Promise.all(done.splice(0));
  for (const one of opened.splice(0)) await one.close();
});

const run = (options: { fault?: (where: Crossing) => void; tuning?: Tuning; before?: () => Promise<void> } = {}) => {
  const fault = options.fault ?? (() => undefined);
  const heard = new Heard();
  const ledger = new FailingLedger(new StoreLedger(at.store, null), fault, options.before);
  const tables = failingTables(at.tables, fault, (key) => seize(at.db, key));
  owners += 1;
  const lease = lastingLease({ ...KEY, owner: `owner-${owners}` });
  const runner = new PartitionRunner(tables, ledger, heard, options.tuning ?? TUNING, share(), lease);
  const stop = new AbortController();
  stops.push(stop);
  const ended = runner.run(stop.signal);
  done.push(ended);
  const halt = (): Promise<void> => {
    stop.abort();
    return ended;
  };
  return { heard, runner, stop: halt };
};

const caughtUp = (): Promise<void> => untilCaughtUp(at);
const expectExact = (): Promise<void> => expectExactBalances(at);

describe('a partition on a real store', () => {
  test('comes to exact balances while usage and definitions keep coming', async () => {
    run();
    await publish(at.store, steps(1, 250));
    await caughtUp();
    await expectExact();
  }, 60_000);

  test.each([2, 3])(
    'fails anywhere around its commits and appends, and comes to the same (seed %i)',
    async (seed) => {
      const random = mulberry(seed);
      const hit = new Map<Crossing, number>();
      let inRow = 0; // bounded, or a long outbox never gets through
      const { heard } = run({
        fault: (where) => {
          // The first of each kind for certain, however few there are on a slow machine; the rest by chance.
          const fails = !hit.has(where) || (inRow < 3 && random() < (where.endsWith('append') ? 0.4 : 0.12));
          inRow = fails ? inRow + 1 : 0;
          if (!fails) return;
          hit.set(where, (hit.get(where) ?? 0) + 1);
          throw new InjectedFault(where);
        },
      });
      await publish(at.store, steps(seed, 160));
      await caughtUp();
      await expectExact();
      expect([...hit.keys()].sort()).toEqual(['after append', 'after commit', 'before append', 'before commit', 'breakdown']);
      expect(heard.failures.length).toBeGreaterThan(5);
    },
    90_000,
  );

  test('two owners of one partition: each position counts once, and the loser of the compare-and-set begins anew', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let isClosed = false;
    let isHeld = false;
    const one = run({
      before: async () => {
        if (!isClosed) return;
        isHeld = true;
        await released;
      },
    });
    let parts = 0;
    await publish(at.store, steps(5, 200), async () => {
      parts += 1;
      if (parts === 1) {
        await caughtUp();
        isClosed = true;
      }
      if (parts !== 2) return;
      // The first stands still with events in hand until the second has taken the partition, and come past them.
      await eventually(
        async () => isHeld,
        (stands) => stands,
      );
      run();
      await caughtUp();
      release();
      await eventually(
        async () => one.heard.overtakings,
        (overtakings) => overtakings > 0,
      );
      // Both believe in themselves from here on.
    });
    expect(parts).toBeGreaterThan(2);
    await caughtUp();
    await expectExact();
  }, 90_000);

  test('what a dead owner committed and did not send is sent by the next', async () => {
    const first = run({
      fault: (where) => {
        if (where === 'before append') throw new InjectedFault(where);
      },
    });
    await publish(at.store, [budget({ percents: [50] }), use(30), use(30)]);
    await eventually(
      () => at.db.selectFrom('projection.outbox').select('type').execute(),
      (rows) => rows.length > 0,
    );
    await first.stop();
    run();
    await caughtUp();
    const said = (await ledgerOf(at.store)).filter(({ type }) => type === 'ThresholdCrossed' || type === 'BudgetCounted');
    expect(said.map(({ type }) => type)).toEqual(['BudgetCounted', 'ThresholdCrossed']);
  }, 60_000);
});

describe('taking over', () => {
  test('what a former owner still appends to the stream of holds, at the revision it knows, is refused', async () => {
    const ledger = new StoreLedger(at.store, null);
    await ledger.takePartition(0, { owner: 'former', epoch: 1 });
    const [known = -1] = await at.store.revisions([holdsStream(0)]);
    await ledger.takePartition(0, { owner: 'next', epoch: 2 });
    const changes = { partition: 0, changes: [] };
    const event = {
      id: derivedId('late'),
      type: 'HoldsChanged',
      version: 1,
      data: JSON.stringify(changes),
      meta: '{"tenant":""}',
      contentHash: contentHash(JSON.stringify(changes)),
    };
    const late = await at.store.append({ partition: 0, stream: holdsStream(0), events: [event], expectedRevision: known });
    expect(late).toEqual({ ok: false, reason: 'wrong_expected_revision', revision: known + 1 });
  });

  test('says so in the ledger, once per take-over, and is not fit to decide before it has folded to where the ledger ended', async () => {
    await publish(at.store, steps(9, 60));
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const { runner, stop } = run({ before: () => opened });
    await eventually(
      () => runner.status.status,
      (status) => status === 'catching-up',
    );
    open();
    await eventually(
      () => runner.status.status,
      (status) => status === 'running',
    );
    const [row] = await at.db
      .selectFrom('projection.checkpoint')
      .select(['position', 'epoch'])
      .where('projection', '=', 'budget')
      .execute();
    const events = await ledgerOf(at.store);
    const taken = events.filter(({ type }) => type === 'PartitionTaken');
    expect(taken.map(({ data }) => data)).toEqual([{ partition: 0, epoch: row?.epoch, owner: expect.stringMatching(/^owner-/) }]);
    expect(row?.position).toBeGreaterThanOrEqual(taken[0]?.position ?? Number.POSITIVE_INFINITY);
    await stop();
    run();
    await caughtUp();
    expect((await ledgerOf(at.store)).filter(({ type }) => type === 'PartitionTaken')).toHaveLength(2);
  }, 60_000);

  test('who was frozen in the middle of it, and has lost the lease since, does not fence off whoever has it now', async () => {
    const frozen = Promise.withResolvers<void>();
    const thawed = Promise.withResolvers<void>();
    class Freezing extends FailingLedger {
      override async head(partition: number): Promise<number> {
        frozen.resolve();
        await thawed.promise;
        return super.head(partition);
      }
    }
    let now = 0;
    const lease = new Lease(await seize(at.db, { ...KEY, owner: 'sleeper' }), 1_000, () => now);
    const ledger = new StoreLedger(at.store, null);
    const sleeper = new PartitionRunner(at.tables, new Freezing(ledger, () => undefined), new Heard(), TUNING, share(), lease);
    const ended = sleeper.run(new AbortController().signal);
    await frozen.promise;
    now = 5_000;
    const heir = await at.tables.take('budget', await seize(at.db, { ...KEY, owner: 'heir' }));
    const expectedRevision = await ledger.takePartition(0, { owner: 'heir', epoch: heir.epoch });
    thawed.resolve();
    await ended;
    expect(sleeper.status).toEqual({ status: 'stopped' });
    const data = JSON.stringify({ changes: [], partition: 0 });
    await expect(ledger.appendHolds(0, { id: derivedId('heirs'), data, expectedRevision })).resolves.toMatchObject({ position: 2 });
  });

  test('ends, and leaves the partition alone, when the lease is another’s', async () => {
    const heard = new Heard();
    const lease = lastingLease({ ...KEY, owner: 'nobody' });
    const runner = new PartitionRunner(at.tables, new StoreLedger(at.store, null), heard, TUNING, share(), lease);
    await runner.run(new AbortController().signal);
    expect(runner.status).toEqual({ status: 'stopped' });
    expect(await at.db.selectFrom('projection.checkpoint').selectAll().execute()).toEqual([]);
    expect(await ledgerOf(at.store)).toEqual([]);
  });
});

describe('what cannot be folded', () => {
  test('an event of a newer release halts the partition after everything before it, and says why', async () => {
    await publish(at.store, [budget({}), use(7)]);
    await append(at.store, { stream: 'tenant-acme', id: derivedId('new'), type: 'PricesForgotten', meta: { tenant: 'acme' }, data: {} });
    await append(at.store, usage(5));
    const { runner, heard } = run();
    await eventually(
      () => runner.status,
      ({ status }) => status === 'halted',
    );
    expect(runner.status).toEqual({ status: 'halted', reason: 'event PricesForgotten version 1 is not known to this release' });
    expect(heard.halts).toHaveLength(1);
    expect((await balanceLines(at.db)).map((line) => line.split(' ')[2])).toEqual(['7']);
  });

  test('a checkpoint ahead of the store is refused, never rewound', async () => {
    await at.db.insertInto('projection.checkpoint').values({ projection: 'budget', partition: 0, position: 99, epoch: 1 }).execute();
    const { runner } = run();
    await eventually(
      () => runner.status,
      ({ status }) => status === 'halted',
    );
    expect(runner.status).toEqual({
      status: 'halted',
      reason: 'CHECKPOINT_AHEAD_OF_STORE: partition 0 is folded to 99, the store ends at 0',
    });
    const [row] = await at.db.selectFrom('projection.checkpoint').select('position').execute();
    expect(row?.position).toBe(99);
  });

  test('an event that is no JSON, a balance that overflows and a text the tables refuse are set aside; the partition goes on', async () => {
    await publish(at.store, [budget({ limit: null })]);
    const huge = `${10n ** 18n}`;
    const positions = [
      await append(at.store, usage(1)),
      await appendRaw('{"broken'),
      await append(at.store, usage(huge)),
      await append(at.store, usage(2)),
      await append(at.store, { ...budgetEvent('nul\u0000name'), id: derivedId('nul') }),
      await append(at.store, usage(4)),
    ];
    const { heard } = run();
    await caughtUp();
    expect((await balanceLines(at.db)).map((line) => line.split(' ')[2])).toEqual(['7']);
    const rows = await at.db
      .selectFrom('projection.quarantine')
      .select(['position', 'tenant', 'reason', 'budget_ids'])
      .where('projection', '=', 'budget')
      .orderBy('position')
      .execute();
    expect(rows).toEqual([
      { position: positions[1], tenant: 'acme', reason: 'cannot be decoded: SyntaxError', budget_ids: null },
      {
        position: positions[2],
        tenant: 'acme',
        reason: 'BalanceOverflowError: the balance of budget budget-0 would pass the largest amount',
        budget_ids: ['budget-0'],
      },
      { position: positions[4], tenant: 'acme', reason: 'the tables refused it: SQLSTATE 22P05', budget_ids: null },
    ]);
    expect(heard.quarantine).toBe(3);
  }, 60_000);
});

const budget = (shape: Partial<Extract<Step, { do: 'create' }>['shape']>): Step => ({
  do: 'create',
  budget: 0,
  shape: { scope: 'tenant:acme', model: null, limit: 100, currency: 'USD', kind: 'monthly', percents: [], amount: null, ...shape },
});

const use = (amount: number): Step => ({
  do: 'use',
  user: 0,
  team: false,
  amount,
  currency: 'USD',
  model: 'a',
  tokens: 0,
  agoHours: 0,
  failed: false,
  lag: null,
  percents: null,
});

const usage = (amount: number | string) => ({
  stream: usageStream('acme'),
  id: derivedId('usage', String(amount)),
  type: 'UsageRecorded',
  meta: { tenant: 'acme' },
  data: {
    id: String(amount),
    source: 'test',
    occurredAt: '2026-03-01T00:00:00Z',
    scopes: ['user:0'],
    status: 'succeeded',
    cost: { amount: String(amount), currency: 'USD' },
  },
});

const budgetEvent = (name: string) => ({
  stream: budgetStream('acme', 'nul'),
  type: 'BudgetCreated',
  meta: { tenant: 'acme' },
  data: {
    budgetId: 'nul',
    definition: {
      ...definitionOf({ scope: 'user:9', model: null, limit: 1, currency: 'USD', kind: 'daily', percents: [], amount: null }),
      metadata: { note: name },
    },
  },
});

/** Bytes that no service of ours would append. */
const appendRaw = async (data: string): Promise<number> => {
  const event = {
    id: derivedId('raw'),
    type: 'UsageRecorded',
    version: 1,
    data,
    meta: '{"tenant":"acme"}',
    contentHash: contentHash(data),
  };
  const result = await at.store.append({ partition: 0, stream: usageStream('acme'), events: [event], expectedRevision: 'any' });
  return result.ok ? (result.outcomes[0]?.position ?? 0) : 0;
};

/** A seeded generator: the same faults at the same places of the same interleaving. */
const mulberry = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
};
