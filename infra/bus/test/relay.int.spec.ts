import type { EventStore, StoredEvent } from '@bursar/event-store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { Bus } from '../src/bus.js';
import { fromBatch, fromCloudEvent } from '../src/cloud-event.js';
import { type Relay, startRelay } from '../src/relay/relay.js';
import { collect } from './support/collect.js';
import { appendOf, eventually, usages } from './support/events.js';
import { PARTITIONS, World } from './support/world.js';

let world: World;
let store: EventStore;
let relayBus: Bus;
let consumer: Bus;
let relay: Relay;

beforeAll(async () => {
  world = await World.make();
  store = await world.store();
  relayBus = await world.bus('relay');
  consumer = await world.bus('consumer');
  relay = startRelay({ store, bus: relayBus, pool: world.pool, url: world.database.url, pollMs: 300 });
  world.onEnd(() => relay.stop());
  await eventually('it leads', () => relay.partitions().length === PARTITIONS);
});

afterAll(() => world?.end());

/** Everything on a stream's subject, in order of arrival. */
const messagesOn = async (stream: string, subject: string) => {
  if (consumer.connection === null) throw new Error('not connected');
  const manager = await jetstreamManager(consumer.connection);
  const { state } = await manager.streams.info(stream, { subjects_filter: subject });
  const count = Object.values(state.subjects ?? {}).reduce((sum, n) => sum + n, 0);
  if (count === 0) return [];
  const source = await jetstream(consumer.connection).consumers.get(stream, { filter_subjects: [subject] });
  const messages = [];
  for await (const message of await source.fetch({ max_messages: count, expires: 5_000 })) messages.push(message);
  return messages;
};

const fannedOut = async (tenant: string): Promise<readonly StoredEvent[]> =>
  (await messagesOn('EVENTS', `events.${tenant}.>`)).flatMap((message) =>
    message.headers?.get('Content-Type') === 'application/cloudevents+json'
      ? [fromCloudEvent(message.string())]
      : fromBatch(message.string()),
  );

const byPosition = (events: readonly StoredEvent[]): readonly StoredEvent[] => [...events].sort((a, b) => a.position - b.position);

describe('the relay', () => {
  test('F10: what was committed and never published reaches ledger.* and its consumers', async () => {
    await store.append(appendOf(0, usages(0, 1)));
    const collector = collect({ store, bus: consumer, partition: 0, pollMs: 60_000 });
    await eventually('the consumer has looked at the store', () => collector.events.length === 1);
    await eventually('the relay has published it', () => relayBus.ackedThrough(0) === 1);
    const before = consumer.counters.eventsFromBus;
    await store.append(appendOf(0, usages(1, 5)));
    await store.append(appendOf(0, usages(6, 5)));
    await eventually('they arrived', () => collector.events.length === 11);
    await collector.stop();
    expect(collector.events).toEqual(await store.readPartition(0, 0, 100));
    expect(consumer.counters.eventsFromBus - before).toBe(10);
  });

  test('IN-E7: a range that nobody appended does not keep it from publishing what somebody did', async () => {
    const claim = headers();
    claim.set('Bursar-First-Position', '1');
    claim.set('Bursar-Last-Position', '9007199254740991');
    claim.set('Bursar-Link', '0'.repeat(64));
    const after = (await store.heads()).find(({ partition }) => partition === 0)?.position ?? 0;
    const collector = collect({ store, bus: consumer, partition: 0, after, pollMs: 60_000 });
    const forged = relayBus.counters.rangesForged;
    consumer.connection?.publish('ledger.0', '[]', { headers: claim });
    await eventually('the relay does not believe it', () => relayBus.counters.rangesForged > forged);
    await store.append(appendOf(0, usages(10, 5)));
    await eventually('what was appended arrives', () => collector.events.length === 5);
    await collector.stop();
  });

  test('what was published by its appender is not published again', async () => {
    const before = relayBus.counters.relayRanges;
    const other = await world.bus('appender');
    const sent: Promise<boolean>[] = [];
    const theirs = await world.store();
    theirs.onAppended((range) => sent.push(other.sendRange(range)));
    for (let n = 0; n < 20; n += 1) await theirs.append(appendOf(1, usages(n, 2)));
    expect(await Promise.all(sent)).not.toContain(false);
    await eventually('the fan-out has passed it', async () => (await checkpoint(1)) === 40);
    expect(relayBus.counters.relayRanges).toBe(before);
  });

  test('an append too large for a message is announced', async () => {
    const before = relayBus.counters.wakesPublished;
    await store.append(appendOf(2, usages(0, 700)));
    await eventually('it was announced', () => relayBus.counters.wakesPublished === before + 1);
  });

  test('every event goes to the world: usage in batches, the rest one by one, ids stable', async () => {
    const [one] = usages(0, 1, 'globex');
    if (one === undefined) throw new Error('no event');
    const moved = { ...one, id: crypto.randomUUID(), type: 'ScopeMoved', data: '{"scope":"team:a","parents":["org:b"]}' };
    await store.append(appendOf(3, usages(0, 30, 'globex'), 'globex'));
    await store.append({ ...appendOf(3, [moved]), stream: 'scope-globex' });
    await store.append({ ...appendOf(3, [{ ...moved, id: crypto.randomUUID(), type: 'PartitionTaken' }]), stream: 'holds-3' });
    await eventually('the fan-out has passed it', async () => (await checkpoint(3)) === 32);
    expect(byPosition(await fannedOut('globex'))).toEqual(await store.readPartition(3, 0, 31));
    const [alone] = await messagesOn('EVENTS', 'events.globex.ScopeMoved');
    expect(alone?.headers?.get('Nats-Msg-Id')).toBe(moved.id);
    expect((await messagesOn('EVENTS', 'events.globex.UsageRecorded')).length).toBeLessThan(30);
  });

  test('two share the partitions; when one stops, the other goes on where it was, through a NATS outage', async () => {
    const second = startRelay({ store, bus: consumer, pool: world.pool, url: world.database.url, pollMs: 50 });
    world.onEnd(() => second.stop());
    await eventually('both lead half', () => relay.partitions().length === 2 && second.partitions().length === 2, 30_000);
    expect([...relay.partitions(), ...second.partitions()].sort()).toEqual([0, 1, 2, 3]);
    await store.append(appendOf(3, usages(100, 10, 'initech'), 'initech'));
    await store.append(appendOf(0, usages(100, 10, 'umbrella'), 'umbrella'));
    await eventually('one fans out', async () => (await checkpoint(3)) === 42);
    await eventually('the other fans out', async () => (await fannedOut('umbrella')).length === 10);
    await relay.stop();
    await eventually('the second leads all', () => second.partitions().length === PARTITIONS, 30_000);
    await world.nats.restart({
      whileDown: async () => {
        await store.append(appendOf(3, usages(200, 10, 'initech'), 'initech'));
      },
    });
    await eventually('the second fans out', async () => (await checkpoint(3)) === 52, 30_000);
    expect(byPosition(await fannedOut('initech'))).toEqual(await store.readPartition(3, 32, 100));
  });
});

const checkpoint = async (partition: number): Promise<number> => {
  const sql = `SELECT position FROM projection.checkpoint WHERE projection = 'relay' AND partition = $1`;
  const { rows } = await world.pool.query<{ position: number }>(sql, [partition]);
  return rows[0]?.position ?? 0;
};
