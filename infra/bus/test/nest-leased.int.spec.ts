import 'reflect-metadata';
import { createDatabase, createPool, type Database, migrate } from '@bursar/database';
import { type TestDatabase, testDatabase } from '@bursar/embedded';
import { Checkpoints, type Lease } from '@bursar/leases';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Controller, type Type } from '@nestjs/common';
import type { Kysely } from 'kysely';
import { type Bus, connectBus } from '../src/bus.js';
import { leasedPartitions } from '../src/nest/ledger/leased-partitions.js';
import type { LedgerBatch, LedgerContext } from '../src/nest/ledger/ledger-events.js';
import { LedgerEvents } from '../src/nest/ledger/ledger-events.js';
import { LedgerServer } from '../src/nest/ledger/ledger-server.js';
import { appendOf, eventually, usage } from './support/events.js';
import { MemoryEventStore } from './support/memory-store.js';
import { nestApp } from './support/nest-app.js';

/** A service with several replicas: leases and checkpoints in a real database, effects in the transaction of the checkpoint. No NATS. */

const PARTITIONS = 4;
const TTL_MS = 1_000;
let database: TestDatabase;
let db: Kysely<Database>;
let bus: Bus;
let store: MemoryEventStore;
const closers: (() => Promise<void>)[] = [];

/** What was committed, in order, by partition: never twice, never out of order. */
const committed = new Map<number, number[]>();

type Replica = Readonly<{ server: LedgerServer; owned: Set<number>; taken: Map<number, Lease>; close: () => Promise<void> }>;

const replica = async (consumer: string, before: (batch: LedgerBatch, context: LedgerContext) => Promise<void> = async () => {}) => {
  const checkpoints = new Checkpoints(db, consumer);

  class Projection {
    async fold(batch: LedgerBatch, context: LedgerContext): Promise<void> {
      await before(batch, context);
      await checkpoints.commit(context.partition, batch.last, async () => undefined);
      const seen = committed.get(context.partition) ?? [];
      committed.set(context.partition, [...seen, ...batch.events.map(({ position }) => position)]);
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Projection.prototype, 'fold');
  if (descriptor === undefined) throw new Error('no method');
  LedgerEvents(consumer, { maxEvents: 3, pollMs: 10 })(Projection.prototype, 'fold', descriptor);
  Controller()(Projection);

  const owned = new Set<number>();
  const taken = new Map<number, Lease>();
  const supply = leasedPartitions({
    url: database.url,
    partitions: PARTITIONS,
    ttlMs: TTL_MS,
    startAfter: (_, lease) => checkpoints.take(lease),
    beside: async (_, lease, signal) => {
      owned.add(lease.partition);
      taken.set(lease.partition, lease);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      owned.delete(lease.partition);
    },
    logger: bus.logger,
  });
  const server = new LedgerServer({ store, bus, supply });
  const app = await nestApp([Projection as Type], [server]);
  const one: Replica = { server, owned, taken, close: () => app.close() };
  closers.push(one.close);
  return one;
};

const append = async (partition: number, count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await store.append(appendOf(partition, [usage(n)]));
};
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
const value = ({ server }: Replica, name: string): number => server.samples().find((sample) => sample.name === name)?.value ?? -1;

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database.url);
  db = createDatabase(createPool(database.url, { name: 'test', max: 4 }));
  bus = await connectBus({ name: 'test' });
});
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
  committed.clear();
});
afterAll(async () => {
  await bus.close();
  await db.destroy();
  await database.drop();
});

test('replicas share the partitions, each is followed by one at a time, and what one leaves the other goes on with', async () => {
  store = new MemoryEventStore(PARTITIONS);
  const one = await replica('alerts');
  await eventually('the first has all', () => one.owned.size === 4);
  await append(0, 7);
  const two = await replica('alerts');
  await eventually('both have half', () => one.owned.size === 2 && two.owned.size === 2);
  for (let partition = 0; partition < PARTITIONS; partition += 1) await append(partition, 5);
  await eventually('all is committed', () => [12, 5, 5, 5].every((count, partition) => committed.get(partition)?.length === count));
  await one.close();
  await eventually('the other has all', () => two.owned.size === 4);
  await append(0, 3);
  await eventually('it goes on', () => committed.get(0)?.length === 15);
  expect(committed.get(0)).toEqual(upTo(15));
  expect(committed.get(2)).toEqual(upTo(5));
  await eventually('it has all still', () => value(two, 'bursar_consumer_partitions') === 4);
  expect(value(two, 'bursar_consumer_failures_total')).toBe(0);
  await eventually('it is behind by nothing', () => value(two, 'bursar_consumer_lag_events') === 0);
});

test('a handler that comes back to a partition which another has taken meanwhile commits nothing, and that is no failure', async () => {
  store = new MemoryEventStore(PARTITIONS);
  const { promise, resolve } = Promise.withResolvers<void>();
  const stuck: number[] = [];
  const one = await replica('schedule', async (_, { partition }) => {
    stuck.push(partition);
    await promise;
  });
  await eventually('it has all', () => one.owned.size === 4);
  await append(1, 2);
  await eventually('its handler is at work', () => stuck.length > 0);
  // As after a sleep longer than the lease: another took the partition, and its epoch.
  await new Checkpoints(db, 'schedule').take(one.taken.get(1)?.key ?? { partition: 1, owner: '', epoch: 0 });
  resolve();
  await eventually('it has begun again, and committed', () => committed.get(1)?.length === 2);
  expect(committed.get(1)).toEqual(upTo(2));
  expect(stuck.filter((partition) => partition === 1).length).toBeGreaterThan(1);
  expect([value(one, 'bursar_consumer_failures_total'), one.server.problems]).toEqual([0, []]);
});

test('a handler that fails begins again at the checkpoint; until then readiness and metrics say so', async () => {
  store = new MemoryEventStore(PARTITIONS);
  let failing = true;
  const one = await replica('failing', async (_, { partition }) => {
    if (partition === 2 && failing) throw new TypeError('secret words');
  });
  await append(2, 4);
  await append(3, 4);
  await eventually('it failed', () => one.server.problems.length > 0);
  expect(one.server.problems).toEqual(['failing: partition 2 failing: TypeError']);
  await eventually('the other partitions go on', () => committed.get(3)?.length === 4);
  await eventually('it shows what it is behind by', () => value(one, 'bursar_consumer_lag_events') === 4);
  failing = false;
  await eventually('it got over it', () => committed.get(2)?.length === 4);
  expect(one.server.problems).toEqual([]);
  expect(value(one, 'bursar_consumer_failures_total')).toBeGreaterThan(0);
});
