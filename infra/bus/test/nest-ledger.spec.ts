import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Controller } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Bus, connectBus } from '../src/bus.js';
import type { LedgerBatch, LedgerContext } from '../src/nest/ledger/ledger-events.js';
import { LedgerEvents } from '../src/nest/ledger/ledger-events.js';
import { LedgerServer } from '../src/nest/ledger/ledger-server.js';
import { allPartitions, type PartitionSupply } from '../src/nest/ledger/partition-supply.js';
import { appendOf, eventually, usage, usages } from './support/events.js';
import { MemoryEventStore } from './support/memory-store.js';
import { nestApp } from './support/nest-app.js';

/** The ledger transport on a store in memory, with no NATS anywhere: it is needed for speed only. */

const PARTITIONS = 2;
let bus: Bus;
let store: MemoryEventStore;
let app: NestFastifyApplication;
let server: LedgerServer;
const checkpoints = new Map<string, number>();
const seen: { partition: number; positions: readonly number[] }[] = [];
let before: (batch: LedgerBatch, context: LedgerContext) => Promise<void> = async () => undefined;

@Controller()
class Projection {
  @LedgerEvents('projection', { maxEvents: 3, pollMs: 10 })
  async fold(batch: LedgerBatch, context: LedgerContext): Promise<void> {
    await before(batch, context);
    seen.push({ partition: context.partition, positions: batch.events.map(({ position }) => position) });
    checkpoints.set(`projection/${context.partition}`, batch.last);
  }
}

@Controller()
class Audit {
  @LedgerEvents('audit', { pollMs: 10 })
  async count(batch: LedgerBatch, { partition }: LedgerContext): Promise<void> {
    checkpoints.set(`audit/${partition}`, batch.last);
  }
}

@Controller()
class Rare {
  @LedgerEvents('rare', { pollMs: 10, wants: (type) => type !== 'UsageRecorded' })
  async count({ events, last }: LedgerBatch, { partition }: LedgerContext): Promise<void> {
    expect(events).toEqual([]);
    checkpoints.set(`rare/${partition}`, last);
  }
}

@Controller()
class Twin {
  @LedgerEvents('audit')
  async twin(): Promise<void> {}
}

const startAfter = async (consumer: string, partition: number): Promise<number> => checkpoints.get(`${consumer}/${partition}`) ?? 0;
const start = async (supply: PartitionSupply = allPartitions({ partitions: PARTITIONS, startAfter, logger: bus.logger })) => {
  server = new LedgerServer({ store, bus, supply });
  app = await nestApp([Projection, Audit, Rare], [server]);
};
const append = async (partition: number, count: number) => {
  for (let n = 0; n < count; n += 1) await store.append(appendOf(partition, [usage(n)]));
};
const positionsOf = (partition: number) => seen.filter((batch) => batch.partition === partition).flatMap(({ positions }) => positions);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

beforeAll(async () => {
  bus = await connectBus({ url: 'nats://127.0.0.1:1', name: 'test' });
});
afterAll(() => bus.close());
afterEach(async () => {
  await app.close();
  checkpoints.clear();
  seen.length = 0;
  before = async () => undefined;
});

test('each handler gets each partition from its checkpoint on, in order, in batches of at most so many', async () => {
  store = new MemoryEventStore(PARTITIONS);
  await append(0, 10);
  await append(1, 4);
  checkpoints.set('projection/0', 2);
  await start();
  await eventually('all was folded', () => checkpoints.get('projection/0') === 10 && checkpoints.get('projection/1') === 4);
  await append(0, 2);
  await eventually('it goes on', () => checkpoints.get('projection/0') === 12);
  await eventually('the other consumer has its own pace', () => checkpoints.get('audit/0') === 12);
  expect(positionsOf(0)).toEqual(upTo(12).slice(2));
  expect(positionsOf(1)).toEqual(upTo(4));
  expect(Math.max(...seen.map(({ positions }) => positions.length))).toBe(3);
});

test('after a failure a partition begins again at its checkpoint, and the others go on', async () => {
  store = new MemoryEventStore(PARTITIONS);
  await append(0, 5);
  await append(1, 5);
  let failures = 0;
  before = async ({ last }, { partition }) => {
    if (partition === 0 && last === 5 && failures < 2) {
      failures += 1;
      throw new Error('no database');
    }
  };
  await start();
  await eventually('the other went on', () => checkpoints.get('projection/1') === 5);
  await eventually('it got over it', () => checkpoints.get('projection/0') === 5);
  expect([failures, positionsOf(0)]).toEqual([2, upTo(5)]);
});

test('who passes over everything is not behind, and its checkpoint moves', async () => {
  store = new MemoryEventStore(PARTITIONS);
  await store.append(appendOf(0, usages(0, 25_000)));
  await start();
  await eventually('it has passed', () => checkpoints.get('rare/0') === 25_000);
  await eventually(
    'the others have come as far',
    () => checkpoints.get('projection/0') === 25_000 && checkpoints.get('audit/0') === 25_000,
  );
  const lag = (name: string) => server.samples().find((each) => each.name === name && each.labels?.consumer === 'rare')?.value;
  await eventually('the heads were polled', () => lag('bursar_consumer_lag_seconds') === 0);
  expect([lag('bursar_consumer_partitions'), lag('bursar_consumer_lag_events')]).toEqual([PARTITIONS, 0]);
  await append(0, 1);
  await eventually('and goes on', () => checkpoints.get('rare/0') === 25_001);
});

test('closing lets the batch in hand be committed, and begins no other', async () => {
  store = new MemoryEventStore(PARTITIONS);
  await append(0, 9);
  const { promise, resolve } = Promise.withResolvers<void>();
  let begun = 0;
  let aborted = false;
  before = async (_batch, { signal }) => {
    begun += 1;
    await promise;
    aborted = signal.aborted;
  };
  await start();
  await eventually('a batch is in hand', () => begun === 1);
  const closed = server.close();
  resolve();
  await closed;
  expect([begun, aborted, checkpoints.get('projection/0')]).toEqual([1, true, 3]);
});

test('partitions come and go as the supply says, and are let go only when their batch is done', async () => {
  store = new MemoryEventStore(PARTITIONS);
  await append(1, 3);
  const lease = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const order: string[] = [];
  before = () => promise;
  await start(async (consumer, consume, signal) => {
    if (consumer !== 'projection') return;
    await consume(1, 1, lease.signal);
    order.push('let go');
    await consume(1, checkpoints.get('projection/1') ?? 0, signal);
  });
  await append(1, 1);
  await eventually('the supply was asked', () => store.reads > 0);
  lease.abort();
  setTimeout(() => {
    order.push('done');
    resolve();
  }, 20);
  await eventually('it was let go', () => order.includes('let go'));
  expect(order).toEqual(['done', 'let go']);
  before = async () => undefined;
  await eventually('it was taken again', () => checkpoints.get('projection/1') === 4);
  expect(positionsOf(1)).toEqual([2, 3, 4]);
});

test('two handlers under one name do not boot: one could fail after the other has committed', async () => {
  store = new MemoryEventStore(PARTITIONS);
  const supply = allPartitions({ partitions: PARTITIONS, startAfter, logger: bus.logger });
  await expect(nestApp([Audit, Twin], [new LedgerServer({ store, bus, supply })])).rejects.toThrow('two handlers consume as audit');
});
