import { partitionOf } from '@bursar/contracts';
import { Checkpoints, LeaseLostError } from '@bursar/leases';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CONSUMER, followedTo } from '../src/adapters/sql/checkpoints.js';
import { StoreLedger } from '../src/adapters/store/ledger.js';
import { PartitionFollower } from '../src/features/follow-partition.js';
import { TENANT } from './support/events.js';
import { ALONE, leaseOf } from './support/leases.js';
import { eventually, makeBudget, PARTITIONS, startWorld, use, type World } from './support/world.js';

const partition = partitionOf(TENANT, PARTITIONS);
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const follower = (): PartitionFollower =>
  new PartitionFollower(new Checkpoints(world.db, CONSUMER), new StoreLedger(world.store, world.bus), partition, ALONE);
const flushed = async (one: PartitionFollower, position: number): Promise<void> => {
  await eventually(
    async () => {
      await one.hurry();
      return (await followedTo(world.db, partition)).timers;
    },
    (at) => at >= position,
  );
};

test('one follows a partition at a time, and whoever has lost it writes no more', async () => {
  const stop = new AbortController();
  const [one, two] = [follower(), follower()];
  const oneLease = await leaseOf(world, partition);
  const oneRuns = one.run(await one.take(oneLease.key), stop.signal);
  const id = await makeBudget(world, {});
  // Usage is nothing to a timer: only a flush writes that it was passed.
  await flushed(one, await use(world, id, '1'));

  const after = await two.take((await leaseOf(world, partition)).key);
  const twoRuns = two.run(after, stop.signal);
  await flushed(two, await use(world, id, '1'));
  await use(world, id, '1');
  // It finds out by its own next write, and ends.
  await eventually(
    async () => one.flush(),
    () => one.written === null,
  );
  await oneRuns;
  await expect(one.take(oneLease.key)).rejects.toThrow(LeaseLostError);

  await flushed(two, await use(world, id, '1'));
  stop.abort();
  await twoRuns;
  expect(await world.db.selectFrom('scheduler.timer').select('budget_id').execute()).toEqual([{ budget_id: id }]);
}, 180_000);
