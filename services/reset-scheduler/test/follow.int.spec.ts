import { partitionOf } from '@bursar/contracts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readCheckpoint } from '../src/adapters/sql/checkpoints.js';
import { StoreLedger } from '../src/adapters/store/ledger.js';
import { PartitionFollower } from '../src/features/follow-partition.js';
import { TENANT } from './support/events.js';
import { eventually, makeBudget, PARTITIONS, startWorld, use, type World } from './support/world.js';

const partition = partitionOf(TENANT, PARTITIONS);
let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(() => world.close());

test('of two consumers of a partition either goes on alone, wherever the other has left the checkpoint', async () => {
  const stop = new AbortController();
  const followers = [0, 1].map(() => new PartitionFollower(world.db, new StoreLedger(world.store, null), partition, () => undefined));
  const running = followers.map(async (follower) => {
    while (!stop.signal.aborted) await follower.run(stop.signal).catch(() => undefined);
  });
  const [one, two] = followers;
  const id = await makeBudget(world, {});
  const flushed = async (follower: PartitionFollower | undefined, position: number): Promise<void> => {
    await eventually(
      async () => {
        await follower?.flush().catch(() => undefined);
        return readCheckpoint(world.db, 'ledger', partition);
      },
      (at) => at >= position,
    );
  };
  // Usage is nothing to a timer: only a flush writes that it was passed. Each takes its turn, then the other alone.
  await flushed(one, await use(world, id, '1'));
  await flushed(one, await use(world, id, '1'));
  await flushed(two, await use(world, id, '1'));
  await flushed(one, await use(world, id, '1'));
  stop.abort();
  await Promise.all(running);
  expect(await world.db.selectFrom('scheduler.timer').select('budget_id').execute()).toEqual([{ budget_id: id }]);
}, 180_000);
