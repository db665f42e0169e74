import { setTimeout as delay } from 'node:timers/promises';
import { type EpochNs, NS_PER_MS, type PeriodDefinition, partitionOf } from '@bursar/contracts';
import { metaOf } from '@bursar/event-store';
import { Checkpoints } from '@bursar/leases';
import { Slots } from '@bursar/platform';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CONSUMER } from '../src/adapters/sql/checkpoints.js';
import { StoreLedger } from '../src/adapters/store/ledger.js';
import type { Saying } from '../src/domain/say.js';
import { Bucket } from '../src/features/bucket.js';
import { CloseDue } from '../src/features/close-due.js';
import { ClosePartition } from '../src/features/close-partition.js';
import { PartitionFollower } from '../src/features/follow-partition.js';
import { TENANT } from './support/events.js';
import { ALONE, leaseOf } from './support/leases.js';
import { eventually, makeBudget, PARTITIONS, saidOf, startWorld, type World } from './support/world.js';

/** Six full turns of one tenant. */
const MANY = 1_500;
const PER_TURN = 250;
const TURN_MS = 300;
const TIMEOUT = 300_000;

/** Appends take their time, as on a machine that has much to do. */
class SlowLedger extends StoreLedger {
  override async append(partition: number, sayings: readonly Saying[]): Promise<readonly boolean[]> {
    await delay(TURN_MS);
    return super.append(partition, sayings);
  }
}

const partition = partitionOf(TENANT, PARTITIONS);
const beside = (...names: readonly string[]): readonly string[] => names.filter((tenant) => partitionOf(tenant, PARTITIONS) === partition);
const [other = ''] = beside('globex', 'initech', 'umbrella', 'hooli');
const stop = new AbortController();
let world: World;
let ledger: SlowLedger;
let follower: PartitionFollower;
let following: Promise<void>;
beforeAll(async () => {
  world = await startWorld();
  ledger = new SlowLedger(world.store, world.bus);
  follower = new PartitionFollower(new Checkpoints(world.db, CONSUMER), ledger, partition, ALONE);
  following = follower.run(await follower.take((await leaseOf(world, partition)).key), stop.signal);
});
afterAll(async () => {
  stop.abort();
  await following;
  await world.close();
});

const watch = { said: () => undefined, failed: (_tenant: string, _budget: string, error: unknown) => expect(error).toBeNull() };
const now = async (): Promise<EpochNs> => BigInt(Math.trunc(await world.store.clock())) * NS_PER_MS;
/** So many budgets have timers, and are projected. */
const untilKnown = async (budgets: number): Promise<void> => {
  for (const table of ['scheduler.timer', 'projection.budget'] as const) {
    await eventually(
      async () => (await world.db.selectFrom(table).select('budget_id').execute()).length,
      (count) => count === budgets,
    );
  }
};

const hourTo = (end: number): PeriodDefinition => {
  const anchor = new Date(end - 3_600_000).toISOString();
  return { kind: 'rolling', length: '1h', timezone: 'UTC', recurring: true, anchor };
};

test(
  'E6 a lone budget waits for two turns of another tenant’s many, and not for all of them; also one that comes due meanwhile',
  async () => {
    const midnight = Date.now() + 30_000;
    for (let made = 0; made < MANY; made += 100) {
      await Promise.all(Array.from({ length: 100 }, () => makeBudget(world, { period: hourTo(midnight) })));
    }
    const after = await makeBudget(world, { period: hourTo(midnight + 1) }, other);
    const meanwhile = await makeBudget(world, { period: hourTo(midnight + 1_000) }, other);
    await untilKnown(MANY + 2);
    const until = await eventually(now, (instant) => instant > BigInt(midnight + 100) * NS_PER_MS);

    const close = new ClosePartition(
      world.db,
      ledger,
      new CloseDue(world.db, ledger, watch),
      new Bucket(10 * MANY, 1, 0),
      new Slots(1),
      () => follower.hurry(),
    );
    await close.execute(partition, until, stop.signal);

    const endOf = async (id: string): Promise<number> => (await saidOf(world, id, 'PeriodEnded', other))[0]?.position ?? Number.NaN;
    const many = await endsOfMany();
    expect(many).toHaveLength(MANY);
    const before = (position: number): number => many.filter((one) => one < position).length;
    expect(before(await endOf(after))).toBeLessThanOrEqual(2 * PER_TURN);
    expect(before(await endOf(meanwhile))).toBeLessThan(MANY);
  },
  TIMEOUT,
);

test(
  'E1 a round reaches everybody in it, however many periods those before have missed',
  async () => {
    const before = (await world.db.selectFrom('scheduler.timer').select('budget_id').execute()).length;
    const [lone = '', ...behind] = beside('anna', 'bert', 'carl', 'dora', 'emil', 'yan', 'zoe').slice(0, 4).reverse();
    const hourly = { period: hourTo(Date.now()) };
    for (const tenant of behind) await Promise.all(Array.from({ length: 10 }, () => makeBudget(world, hourly, tenant)));
    const last = await makeBudget(world, hourly, lone);
    await untilKnown(before + 10 * behind.length + 1);

    const after100Hours = (await now()) + 100n * 3_600_000n * NS_PER_MS;
    const only = { tenants: [...behind, lone], each: 10 };
    await new CloseDue(world.db, ledger, watch).turn(partition, after100Hours, PER_TURN, only);
    expect(await saidOf(world, last, 'PeriodEnded', lone)).not.toEqual([]);
  },
  TIMEOUT,
);

const endsOfMany = async (): Promise<readonly number[]> => {
  const found: number[] = [];
  for (let from = 0; ; ) {
    const page = await world.store.readPartition(partition, from, 1_000);
    const ended = page.filter(({ type, meta }) => type === 'PeriodEnded' && metaOf({ meta }).tenant === TENANT);
    found.push(...ended.map(({ position }) => position));
    const last = page.at(-1);
    if (last === undefined) return found;
    from = last.position;
  }
};
