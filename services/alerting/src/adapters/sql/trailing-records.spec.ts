import type { LedgerEvent } from '@bursar/contracts';
import { CheckpointLostError, LeaseLostError } from '@bursar/leases';
import { expect, test } from '@jest/globals';
import type { RecordedBatch } from '../../features/ports.js';
import { TrailingRecords } from './trailing-records.js';

const LEASE = { partition: 0, owner: 'test', epoch: 1 };
const NEVER = new AbortController().signal;

const passing = (last: number): RecordedBatch => ({ partition: 0, last, events: [], alerts: [] });
const news = (last: number, events = 1): RecordedBatch => ({
  ...passing(last),
  events: Array.from({ length: events }, () => ({ position: last }) as LedgerEvent),
});

/** A table whose next writes wait for, or fail with, what a test says. */
class Table {
  readonly written: number[] = [];
  readonly recorded: number[][] = [];
  readonly failures: { before?: Error; after?: Error }[] = [];
  takes: (Error | null)[] = [];
  gate: Promise<void> = Promise.resolve();

  async take(): Promise<number> {
    const failure = this.takes.shift() ?? null;
    if (failure !== null) throw failure;
    return this.written.at(-1) ?? 0;
  }
  async commit(_partition: number, last: number, effects: (trx: never) => Promise<void>): Promise<void> {
    await this.gate;
    const failure = this.failures.shift();
    if (failure?.before !== undefined) throw failure.before;
    await effects(undefined as never);
    this.written.push(last);
    if (failure?.after !== undefined) throw failure.after;
  }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const opened = async (everyMs?: number) => {
  const table = new Table();
  const troubles: unknown[] = [];
  const committed: number[] = [];
  const records = new TrailingRecords(
    table,
    {
      record: async (_trx, { events }) => void table.recorded.push(events.map(({ position }) => position)),
      committed: ({ last }) => committed.push(last),
      trouble: (error) => troubles.push(error),
    },
    everyMs,
  );
  await records.take(LEASE);
  return { table, troubles, committed, records };
};

test('many checkpoints alone are one write or two, and the last of them counts', async () => {
  const { table, records } = await opened();
  for (let last = 1; last <= 100; last += 1) await records.follow(passing(last), NEVER);
  await until(() => table.written.at(-1) === 100);
  expect(table.written).toHaveLength(table.written[0] === 100 ? 1 : 2);
});

test('nobody waits for what is being recorded; what comes meanwhile is recorded together, in order', async () => {
  const { table, records, committed } = await opened();
  const { promise, resolve } = Promise.withResolvers<void>();
  table.gate = promise;
  await records.follow(news(1), NEVER);
  for (const batch of [passing(2), news(3), news(4), passing(5)]) await records.follow(batch, NEVER);
  expect(table.written).toEqual([]);
  resolve();
  await until(() => table.written.at(-1) === 5);
  expect([table.written, table.recorded, committed]).toEqual([
    [1, 5],
    [[1], [3, 4]],
    [1, 5],
  ]);
});

test('what is to be recorded does not wait for the pause between checkpoints', async () => {
  const { table, records } = await opened(3_600_000);
  await records.follow(passing(1), NEVER);
  await until(() => table.written.length === 1);
  await records.follow(news(2), NEVER);
  await until(() => table.written.at(-1) === 2);
});

test('one transaction takes so much, and who is too far ahead waits', async () => {
  const { table, records } = await opened();
  const { promise, resolve } = Promise.withResolvers<void>();
  table.gate = promise;
  for (let last = 1; last <= 5; last += 1) await records.follow(news(last, 500), NEVER);
  let isIn = false;
  const waiting = records.follow(news(6, 500), NEVER).then(() => {
    isIn = true;
  });
  await new Promise((done) => setTimeout(done, 20));
  expect(isIn).toBe(false);
  resolve();
  await waiting;
  await until(() => table.written.at(-1) === 6);
  expect(Math.max(...table.recorded.map(({ length }) => length))).toBe(1_000);
  expect(table.recorded.flat()).toHaveLength(3_000);
});

test('what could not be recorded is tried again without another batch, and nobody goes on before', async () => {
  const { table, troubles, records, committed } = await opened();
  table.failures.push({ before: new Error('the database is away') });
  await records.follow(news(5), NEVER);
  await until(() => troubles.length === 1);
  await expect(records.follow(news(6), NEVER)).rejects.toThrow('the database is away');
  await until(() => table.written.length === 1);
  expect([table.written, table.recorded, committed]).toEqual([[5], [[5]], [5]]);
});

test('what was recorded without an answer is not recorded again', async () => {
  const { table, records } = await opened();
  table.failures.push({ after: new Error('the connection broke') });
  const { promise, resolve } = Promise.withResolvers<void>();
  table.gate = promise;
  await records.follow(news(5), NEVER);
  await records.follow(news(6), NEVER);
  resolve();
  await until(() => table.written.at(-1) === 6);
  expect(table.recorded).toEqual([[5], [6]]);
});

test('who takes the partition anew takes it after what is being recorded, and nothing of before follows', async () => {
  const { table, records } = await opened();
  const { promise, resolve } = Promise.withResolvers<void>();
  table.gate = promise;
  await records.follow(news(5), NEVER);
  await records.follow(news(6), NEVER);
  const taken = records.take(LEASE);
  resolve();
  expect(await taken).toBe(5);
  await records.follow(news(9), NEVER);
  await until(() => table.written.at(-1) === 9);
  expect(table.recorded).toEqual([[5], [9]]);
});

test('who has lost the partition hears of it at the next batch, and records nothing more until it is taken anew', async () => {
  const { table, records } = await opened();
  const lost = new CheckpointLostError({ consumer: 'test', partition: 0, position: 0, epoch: 1 });
  table.failures.push({ before: lost });
  table.takes = [new LeaseLostError(LEASE)];
  await records.follow(news(5), NEVER);
  await until(() => table.takes.length === 0);
  await expect(records.follow(news(9), NEVER)).rejects.toBe(lost);
  expect(table.written).toEqual([]);
  await records.take(LEASE);
  await records.follow(news(6), NEVER);
  await until(() => table.written.length === 1);
});
