import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { connectBus } from '../src/bus.js';
import { consumeStored } from '../src/ledger/consume.js';
import { collect } from './support/collect.js';
import { appendOf, eventually, usages } from './support/events.js';
import { MemoryEventStore } from './support/memory-store.js';

const PARTITION = 3;

describe('F15: a consumer that is stuck', () => {
  const PATIENCE = { reviveMs: 1_000, giveUpMs: 3_000 };

  test('is revived, and when that does not help the process is given up', async () => {
    const stuck: string[] = [];
    const own = await connectBus({ name: 'stuck', onGivenUp: () => stuck.push('given up') });
    const store = new MemoryEventStore();
    await store.append(appendOf(PARTITION, usages(0, 3)));
    const ending = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const options = {
      store,
      bus: own,
      partition: PARTITION,
      after: 0,
      maxEvents: 10,
      pollMs: 20,
      signal: ending.signal,
      patience: PATIENCE,
    };
    const done = consumeStored(options, () => promise);
    await eventually('it is given up', () => stuck.length > 0, 30_000);
    expect(own.counters.consumersRevived).toBe(1);
    ending.abort();
    resolve();
    await done;
    await own.close();
  });

  test('is not one whose handler takes longer than its patience and says that it goes on', async () => {
    const stuck: string[] = [];
    const own = await connectBus({ name: 'slow', onGivenUp: () => stuck.push('given up') });
    const store = new MemoryEventStore();
    await store.append(appendOf(PARTITION, usages(0, 3)));
    const ending = new AbortController();
    const patience = { reviveMs: 4_000, giveUpMs: 5_000 };
    const options = { store, bus: own, partition: PARTITION, after: 0, maxEvents: 10, pollMs: 20, signal: ending.signal, patience };
    let handled = 0;
    const done = consumeStored(options, async (_batch, alive) => {
      for (let portion = 0; portion < 6; portion += 1) {
        await delay(1_000);
        alive();
      }
      handled += 1;
    });
    await eventually('it has handled the batch', () => handled === 1, 30_000);
    expect([stuck, own.counters.consumersRevived]).toEqual([[], 0]);
    ending.abort();
    await done;
    await own.close();
  });

  test('is not one that is idle, or whose store does not answer', async () => {
    const stuck: string[] = [];
    const own = await connectBus({ name: 'waiting', onGivenUp: () => stuck.push('given up') });
    const patience = { reviveMs: 5_000, giveUpMs: 6_000 };
    const store = new MemoryEventStore();
    await store.append(appendOf(PARTITION, usages(0, 3)));
    const idle = collect({ store, bus: own, partition: PARTITION, patience });
    await eventually('it has all', () => idle.events.length === 3);
    const failing = new MemoryEventStore();
    await failing.append(appendOf(PARTITION, usages(0, 3)));
    failing.failure = new Error('no store');
    const asking = collect({ store: failing, bus: own, partition: PARTITION, patience });
    // Longer than its patience: a failure every two seconds is a sign of life.
    await delay(patience.giveUpMs + 1_000);
    expect(own.counters.storeReadFailures).toBeGreaterThan(2);
    expect([stuck, own.counters.consumersRevived]).toEqual([[], 0]);
    failing.failure = null;
    await eventually('it goes on', () => asking.events.length === 3);
    await Promise.all([idle.stop(), asking.stop()]);
    await own.close();
  });
});
