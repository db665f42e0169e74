import { createEventStore } from '@bursar/event-store';
import { Client, type QueryArrayConfig } from 'pg';
import { machine } from './about.ts';
import { Checkpoints } from './checkpoints.ts';
import { whileOpen } from './cleanup.ts';
import { copyLimit } from './copy-limit.ts';
import { bodies, type Positions, sendAll, setUpTenant, tenantsApart } from './load.ts';
import { against, type BenchRow } from './row.ts';
import { median } from './statistics.ts';
import type { Suite } from './suite.ts';
import { type RunningSystem, withSystem } from './system.ts';

const EVENTS = 100_000;
/** One takes a second or two; that of a process that has just begun is slower, since the compiler has its part of it. */
const ROUNDS = 3;
const WARM_UP = 10_000;
const PAGE = 1_000;
/** One for each of two projectors, both busy. */
const PARTITIONS = 2;
/** The longest there is: projectors keep their partitions while they are stopped. */
const LEASE_MS = 60_000;
const LONGEST_STOP_MS = 45_000;

const COPY = 'projector catch-up, 100,000 events waiting in the store';
const SELECT = `${COPY}, beside SELECT`;
const READER = `${COPY}, beside the store's reader`;
const BREAKDOWN = `${COPY}, rollups included`;
const TWO = 'catch-up of 2 busy partitions: 2 projectors beside 1';

/**
 * Projectors are stopped (SIGSTOP) while usage is stored, and go on with all of it waiting; the clock runs from then until the last
 * balance: three times, of which the median counts. Then on two partitions, with one projector and with two, neither for the first time.
 */
export const catchUpSuite: Suite = {
  about: 'the projector with 100,000 events waiting, beside COPY and SELECT; two projectors beside one',
  rows: [COPY, SELECT, READER, BREAKDOWN, TWO],
  ownSystem: true,
  run: async (_shared, emit) => {
    const one = await withProjectors(1, async (system, checkpoints, tenants) => {
      const [first = ''] = tenants;
      const rounds: Folded[] = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await catchUp(system, checkpoints, `one-${round}`, [first]));
      emit(...(await besideReads(system, rounds)));
      return (await catchUp(system, checkpoints, 'both', tenants)).perSecond;
    });
    const two = await withProjectors(2, async (system, checkpoints, tenants) => {
      await catchUp(system, checkpoints, 'first', tenants);
      return (await catchUp(system, checkpoints, 'both', tenants)).perSecond;
    });
    emit({ ...against(TWO, two, 'events/s', '1 projector', one), goal: 1.6, note: `PostgreSQL shares ${machine().split(',')[0]}` });
  },
};

type Work<T> = (system: RunningSystem, checkpoints: Checkpoints, tenants: readonly string[]) => Promise<T>;

const withProjectors = <T>(projectors: number, work: Work<T>): Promise<T> => {
  const environment = { PARTITIONS: String(PARTITIONS), PARTITION_LEASE_MS: String(LEASE_MS) };
  return withSystem({ replicas: `budget-projector=${projectors}`, environment }, (system) =>
    Checkpoints.using(system.databaseUrl, async (checkpoints) => {
      const tenants = tenantsApart(PARTITIONS, PARTITIONS);
      for (const tenant of tenants) await setUpTenant(system, tenant);
      await checkpoints.reach('budget', await sendAll(system, bodies('warm', WARM_UP, tenants)));
      await checkpoints.shared(projectors);
      return work(system, checkpoints, tenants);
    }),
  );
};

type Folded = Readonly<{ perSecond: number; withRollups: number; positions: Positions }>;

const catchUp = async (system: RunningSystem, checkpoints: Checkpoints, run: string, tenants: readonly string[]): Promise<Folded> => {
  const projectors = system.services.filter(({ name }) => name === 'budget-projector').map(({ pid }) => pid);
  const signal = (name: NodeJS.Signals): void => projectors.forEach((pid) => void process.kill(pid, name));
  const payload = bodies(run, EVENTS, tenants);
  const stoppedAt = performance.now();
  signal('SIGSTOP');
  const positions = await whileOpen(
    async () => signal('SIGCONT'),
    async () => {
      const last = await sendAll(system, payload);
      await checkpoints.reach('relay', last, 50); // the fan-out has cores of its own elsewhere
      if (performance.now() - stoppedAt > LONGEST_STOP_MS) throw new Error('storing took so long that the projectors lost their leases');
      return last;
    },
  );
  const startedAt = performance.now();
  await checkpoints.reach('budget', positions);
  const perSecond = (EVENTS / (performance.now() - startedAt)) * 1000;
  await checkpoints.reach('breakdown', positions);
  return { perSecond, withRollups: (EVENTS / (performance.now() - startedAt)) * 1000, positions };
};

const besideReads = async (system: RunningSystem, rounds: readonly Folded[]): Promise<readonly BenchRow[]> => {
  const [[partition, last] = [0, 0]] = rounds.at(-1)?.positions ?? [];
  const perSecond = median(rounds.map((round) => round.perSecond));
  const withRollups = median(rounds.map((round) => round.withRollups));
  const each = rounds.map((round) => Math.round(round.perSecond).toLocaleString('en')).join('; ');
  const copy = await copyLimit(system.eventStoreUrl, EVENTS);
  return [
    { ...against(COPY, perSecond, 'events/s', 'text COPY, 1 connection', copy), floor: 0.5, note: `one after another ${each}` },
    against(SELECT, perSecond, 'events/s', 'SELECT of the same rows, pages of 1,000', await plainSelect(system, partition, last)),
    against(READER, perSecond, 'events/s', 'readPartition, pages of 1,000', await ownReader(system, partition, last)),
    against(BREAKDOWN, withRollups, 'events/s', 'text COPY, 1 connection', copy),
  ];
};

/** Rows per second of the last 100,000 of a partition, page after page. */
const plainSelect = async (system: RunningSystem, partition: number, last: number): Promise<number> => {
  const client = new Client({ connectionString: system.eventStoreUrl });
  await client.connect();
  try {
    return await paged(last, async (after) => {
      const page: QueryArrayConfig = {
        name: 'bench_page',
        text: `SELECT partition, position, stream, revision, id, type, version, data, meta, content_hash FROM store.events
               WHERE partition = $1 AND position > $2 AND position <= $2 + ${PAGE} ORDER BY position`,
        values: [partition, after],
        rowMode: 'array',
      };
      const { rowCount } = await client.query(page);
      return rowCount ?? 0;
    });
  } finally {
    await client.end();
  }
};

const ownReader = async (system: RunningSystem, partition: number, last: number): Promise<number> => {
  const store = await createEventStore(system.eventStoreUrl, { partitions: PARTITIONS, name: 'bench' });
  try {
    return await paged(last, async (after) => (await store.readPartition(partition, after, PAGE)).length);
  } finally {
    await store.close();
  }
};

const paged = async (last: number, read: (after: number) => Promise<number>): Promise<number> => {
  const startedAt = performance.now();
  let rows = 0;
  for (let after = last - EVENTS; after < last; ) {
    const count = await read(after);
    if (count === 0) throw new Error(`no events after ${after}`);
    rows += count;
    after += count;
  }
  return rows / ((performance.now() - startedAt) / 1000);
};
