import { CheckpointLostError } from '@bursar/leases';
import { expect, test } from '@jest/globals';
import { TrailingCheckpoints } from './trailing-checkpoints.js';

const LEASE = { partition: 0, owner: 'test', epoch: 1 };
const NEVER = new AbortController().signal;
const NOTHING = async (): Promise<void> => undefined;

/** A table whose next writes wait for, or fail with, what a test says. */
class Table {
  readonly written: number[] = [];
  readonly failures: Error[] = [];
  gate: Promise<void> = Promise.resolve();

  async take(): Promise<number> {
    return this.written.at(-1) ?? 0;
  }
  async commit(_partition: number, last: number): Promise<void> {
    await this.gate;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.written.push(last);
  }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const opened = async () => {
  const table = new Table();
  const troubles: unknown[] = [];
  const checkpoints = new TrailingCheckpoints(table, (error) => troubles.push(error));
  await checkpoints.take(LEASE);
  return { table, troubles, checkpoints };
};

test('many batches that are passed are one write or two, and the last of them counts', async () => {
  const { table, checkpoints } = await opened();
  for (let last = 1; last <= 100; last += 1) checkpoints.pass(0, last, NEVER);
  await until(() => table.written.at(-1) === 100);
  expect(table.written).toHaveLength(table.written[0] === 100 ? 1 : 2);
});

test('what is recorded waits for the write under way, and no checkpoint ever goes back', async () => {
  const { table, checkpoints } = await opened();
  const { promise, resolve } = Promise.withResolvers<void>();
  table.gate = promise;
  checkpoints.pass(0, 5, NEVER);
  const recorded = checkpoints.commit(0, 9, NOTHING);
  resolve();
  await recorded;
  checkpoints.pass(0, 12, NEVER);
  await until(() => table.written.at(-1) === 12);
  expect(table.written).toEqual([5, 9, 12]);
});

test('a write that fails is tried again without another batch', async () => {
  const { table, troubles, checkpoints } = await opened();
  table.failures.push(new Error('the database is away'));
  checkpoints.pass(0, 5, NEVER);
  await until(() => table.written.length === 1);
  expect([table.written, troubles.length]).toEqual([[5], 1]);
});

test('who has lost the partition hears of it at the next batch, whatever that brings', async () => {
  const { table, checkpoints } = await opened();
  const lost = new CheckpointLostError({ consumer: 'test', partition: 0, position: 0, epoch: 1 });
  table.failures.push(lost);
  checkpoints.pass(0, 5, NEVER);
  await until(() => table.failures.length === 0);
  await expect(checkpoints.commit(0, 9, NOTHING)).rejects.toBe(lost);
  expect(() => checkpoints.pass(0, 10, NEVER)).toThrow(lost);
  expect(table.written).toEqual([]);
  await checkpoints.take(LEASE);
  checkpoints.pass(0, 6, NEVER);
  await until(() => table.written.length === 1);
});
