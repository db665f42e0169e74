import { type TestNats, testNats } from '@bursar/embedded';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { AckPolicy, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { PullSource } from '../src/nest/durable/pull-source.js';
import { eventually } from './support/events.js';

/** RELIABILITY §2: memory is bounded whatever the backlog, and no message is too large to get through. */

let nats: TestNats;
let nc: NatsConnection;
let manager: JetStreamManager;
let source: PullSource;
const lost = new Set<() => void>();

beforeAll(async () => {
  nats = await testNats();
  const { host, username, password } = new URL(nats.url);
  nc = await connect({ servers: host, user: username, pass: password });
  manager = await jetstreamManager(nc);
});
beforeEach(async () => {
  await manager.streams.add({ name: 'S', subjects: ['s'] });
  await manager.consumers.add('S', { durable_name: 'd', ack_policy: AckPolicy.Explicit, max_ack_pending: 10_000 });
});
afterEach(async () => {
  await source.close();
  expect(lost.size).toBe(0);
  await manager.streams.delete('S');
});
afterAll(async () => {
  await nc.close();
  await nats.stop();
});

const open = (maxMessages: number, maxBytes: number): PullSource => {
  const onDisconnect = (listener: () => void) => {
    lost.add(listener);
    return () => lost.delete(listener);
  };
  source = new PullSource({ nc, onDisconnect, news: () => undefined, stream: 'S', durable: 'd', maxMessages, maxBytes });
  return source;
};
const publish = async (...sizes: readonly number[]): Promise<void> => {
  const js = jetstream(nc);
  for (const size of sizes) await js.publish('s', new Uint8Array(size));
};
/** Takes until so many have come; the largest that was held meanwhile. */
const takeAll = async (count: number, each: number): Promise<{ sizes: number[]; most: { messages: number; bytes: number } }> => {
  const sizes: number[] = [];
  const most = { messages: 0, bytes: 0 };
  await eventually(`${count} came`, () => {
    most.messages = Math.max(most.messages, source.held.messages);
    most.bytes = Math.max(most.bytes, source.held.bytes);
    for (const delivery of source.take(each, Number.POSITIVE_INFINITY)) {
      sizes.push(delivery.data.length);
      delivery.ack();
    }
    return sizes.length >= count;
  });
  return { sizes, most };
};

test('holds at most so many messages', async () => {
  await publish(...Array.from({ length: 300 }, () => 10));
  open(40, 1_000_000);
  await eventually('it is full', () => source.held.messages === 40);
  const { sizes, most } = await takeAll(300, 7);
  expect([sizes.length, most.messages]).toEqual([300, 40]);
});

test('holds at most so many bytes', async () => {
  await publish(...Array.from({ length: 100 }, () => 1_000));
  open(1_000, 10_000);
  await eventually('it is nearly full', () => source.held.bytes > 8_000);
  const { sizes, most } = await takeAll(100, 3);
  expect(sizes).toHaveLength(100);
  expect(most.bytes).toBeLessThanOrEqual(10_000);
});

test('a message larger than all its room comes too, alone, in its order', async () => {
  await publish(500, 600, 60_000, 700, 70_000, 80_000, 10);
  open(100, 10_000);
  expect((await takeAll(7, 10)).sizes).toEqual([500, 600, 60_000, 700, 70_000, 80_000, 10]);
  await eventually('all are acknowledged', async () => (await manager.consumers.info('S', 'd')).num_ack_pending === 0);
});

test('ends when its consumer is deleted: what it holds is let go, nothing is acknowledged any more', async () => {
  await publish(10, 10);
  open(100, 10_000);
  await eventually('both came', () => source.held.messages === 2);
  const [first] = source.take(1, 100);
  await manager.consumers.delete('S', 'd');
  await eventually('it ended', () => source.ended !== null);
  expect([source.ended, source.held.messages]).toEqual(['409 Consumer Deleted', 0]);
  // Made anew, the same first message is now somebody else's.
  await manager.consumers.add('S', { durable_name: 'd', ack_policy: AckPolicy.Explicit });
  const other = await (await jetstream(nc).consumers.get('S', 'd')).next({ expires: 20_000 });
  first?.ack();
  await nc.flush();
  expect([other?.seq, (await manager.consumers.info('S', 'd')).num_ack_pending]).toEqual([1, 1]);
});

test('ends when its stream is deleted, or there is none', async () => {
  open(100, 10_000);
  await nc.flush();
  await manager.streams.delete('S');
  await eventually('it ended', () => source.ended !== null);
  await source.close();
  open(100, 10_000);
  await eventually('it ended too', () => source.ended !== null);
  expect(source.ended).toMatch(/^503/);
  await manager.streams.add({ name: 'S', subjects: ['s'] });
});

test('ends with its connection, and keeps what it holds to be worked off', async () => {
  await publish(10, 10);
  open(100, 10_000);
  await eventually('both came', () => source.held.messages === 2);
  for (const tell of [...lost]) tell();
  expect([source.ended, source.held.messages]).toEqual(['disconnected', 2]);
  for (const delivery of source.take(2, 100)) delivery.ack();
  await eventually('both are acknowledged', async () => (await manager.consumers.info('S', 'd')).ack_floor.stream_seq === 2);
});
