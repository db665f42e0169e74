import 'reflect-metadata';
import { type TestNats, testNats } from '@bursar/embedded';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { AckPolicy, type ConsumerInfo, type JetStreamManager, jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Controller, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Bus, connectBus } from '../src/bus.js';
import type { DurableContext } from '../src/nest/durable/durable-messages.js';
import { DurableMessages } from '../src/nest/durable/durable-messages.js';
import { DurableServer } from '../src/nest/durable/durable-server.js';
import { eventually } from './support/events.js';
import { nestApp } from './support/nest-app.js';

/** The durable transport on a real nats-server: what a fake source cannot show. */

const STREAM = 'WORK';
const ACK_WAIT_MS = 5_000;

let nats: TestNats;
let bus: Bus;
let nc: NatsConnection;
let manager: JetStreamManager;
let app: NestFastifyApplication | null = null;

beforeAll(async () => {
  nats = await testNats();
  const { host, username, password } = new URL(nats.url);
  nc = await connect({ servers: host, user: username, pass: password, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  manager = await jetstreamManager(nc, { timeout: 3_000 });
  bus = await connectBus({ url: nats.url, name: 'test' });
  await eventually('the bus connected', () => bus.connected);
});
afterEach(async () => {
  await app?.close();
  app = null;
  await manager.streams.delete(STREAM).catch(() => undefined);
});
afterAll(async () => {
  await bus.close();
  await nc.close();
  await nats.stop();
});

type Batch = readonly number[];
const seen: Batch[] = [];
let work: (batch: Batch, context: DurableContext) => Promise<void>;

const read = ({ data }: { data: Uint8Array }): number => JSON.parse(new TextDecoder().decode(data)) as number;

const OPTIONS = {
  stream: STREAM,
  durable: 'workers',
  subject: 'work.*',
  read,
  maxMessages: 200,
  lingerMs: 200,
  retryMs: 100,
  ackWaitMs: ACK_WAIT_MS,
} as const;

/** Waits for a full batch, however slowly it comes. */
@Controller()
class PatientWorker {
  @DurableMessages({ ...OPTIONS, lingerMs: 60_000 })
  async work(batch: Batch): Promise<void> {
    seen.push(batch);
  }
}

@Controller()
class Worker {
  @DurableMessages(OPTIONS)
  async work(batch: Batch, context: DurableContext): Promise<void> {
    seen.push(batch);
    await work(batch, context);
  }
}

const makeStream = () => manager.streams.add({ name: STREAM, subjects: ['work.*'], retention: RetentionPolicy.Workqueue });
const start = async (handler: typeof work = async () => undefined, worker: Type = Worker): Promise<DurableServer> => {
  seen.length = 0;
  work = handler;
  const server = new DurableServer(bus, { checkMs: 100 });
  app = await nestApp([worker], [server]);
  return server;
};
const publish = async (count: number, from = 0): Promise<void> => {
  const js = jetstream(nc);
  await Promise.all(Array.from({ length: count }, (_, n) => js.publish('work.x', JSON.stringify(from + n))));
};
const info = (): Promise<ConsumerInfo> => manager.consumers.info(STREAM, 'workers');
const settled = async (): Promise<boolean> => {
  const { num_pending, num_ack_pending } = await info().catch(() => ({ num_pending: -1, num_ack_pending: -1 }));
  return num_pending === 0 && num_ack_pending === 0;
};
const handled = (): readonly number[] => [...new Set(seen.flat())].sort((a, b) => a - b);
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

test('3,000 messages are 15 batches of exactly 200, each acknowledged, none delivered twice', async () => {
  await makeStream();
  for (let from = 0; from < 3_000; from += 500) await publish(500, from);
  await start(undefined, PatientWorker);
  await eventually('all were handled', async () => seen.flat().length >= 3_000 && (await settled()));
  expect(seen.map(({ length }) => length)).toEqual(Array.from({ length: 15 }, () => 200));
  const { num_redelivered, ack_floor } = await info();
  expect([num_redelivered, ack_floor.stream_seq]).toEqual([0, 3_000]);
});

test('what cannot be read is terminated, with an advisory that says why, and is gone', async () => {
  await makeStream();
  const advisories: { stream_seq: number; reason?: string }[] = [];
  const subscription = nc.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.${STREAM}.workers`, {
    callback: (_error, message) => void advisories.push(message.json()),
  });
  await jetstream(nc).publish('work.x', '1');
  await jetstream(nc).publish('work.x', 'no json');
  await start();
  await eventually('the advisory came', () => advisories.length === 1);
  await eventually('all was settled', settled);
  subscription.unsubscribe();
  expect([seen, advisories[0]?.stream_seq, advisories[0]?.reason]).toEqual([[[1]], 2, expect.stringContaining('SyntaxError')]);
  expect((await manager.streams.info(STREAM)).state.messages).toBe(0);
});

test('what a throwing handler left comes again after its delay; what it had settled does not', async () => {
  await makeStream();
  await publish(3);
  let failedAt = 0;
  await start(async (batch, context) => {
    if (failedAt > 0) return;
    context.ack(batch.indexOf(0));
    context.nak(batch.indexOf(1), 2_500);
    failedAt = performance.now();
    throw new Error('no store');
  });
  await eventually('all was settled', async () => seen.length === 3 && (await settled()));
  expect(seen).toEqual([[0, 1, 2], [2], [1]]);
  expect(performance.now() - failedAt).toBeGreaterThan(2_500);
});

test('IN-E11: a batch slower than its time to acknowledge stays ours, with what waits behind it', async () => {
  await makeStream();
  await publish(300);
  await start(() => new Promise((resolve) => setTimeout(resolve, seen.length === 1 ? ACK_WAIT_MS * 1.2 : 0)));
  await eventually('all were handled', async () => seen.flat().length >= 300 && (await settled()));
  expect(seen.map(({ length }) => length)).toEqual([200, 100]);
  expect((await info()).num_redelivered).toBe(0);
});

test('closed in the middle of a batch it finishes that and gives back the rest at once: nothing is lost, nothing waits', async () => {
  await makeStream();
  await publish(500);
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = await start(() => promise);
  await eventually('a batch is in hand', () => seen.length === 1);
  const closed = server.close();
  resolve();
  await closed;
  await app?.close();
  expect(seen.map(({ length }) => length)).toEqual([200]);
  await eventually('what was handled is acknowledged', async () => (await manager.streams.info(STREAM)).state.messages === 300);

  const first = [...seen.flat()];
  await start();
  await eventually('the rest was handled', async () => seen.flat().length >= 300 && (await settled()), ACK_WAIT_MS);
  expect([...first, ...handled()].sort((a, b) => a - b)).toEqual(upTo(500));
});

test('IN-E11, IN-E14: its consumer deleted under it, and the stream too, it goes on when they are back', async () => {
  await makeStream();
  await start();
  await publish(10);
  await eventually('the first were handled', () => handled().length === 10);
  await manager.consumers.delete(STREAM, 'workers');
  await publish(10, 10);
  await eventually('it made its consumer anew', () => handled().length === 20);
  await manager.streams.delete(STREAM);
  await makeStream();
  await publish(10, 20);
  await eventually('it found the new stream', () => handled().length === 30);
  expect(bus.counters.durableReopened).toBeGreaterThanOrEqual(2);
});

test('IN-E14: its consumer changed or paused by somebody is set right, at once or when it is opened', async () => {
  const wrong = { max_ack_pending: 1, max_deliver: 3, filter_subject: 'work.nothing' };
  const right = { max_ack_pending: 2_000, max_deliver: -1, filter_subject: 'work.*' };
  await makeStream();
  await start();
  await eventually('there is a consumer', () => info().then(Boolean, () => false));
  await manager.consumers.update(STREAM, 'workers', wrong);
  await manager.consumers.pause(STREAM, 'workers', new Date(Date.now() + 3_600_000));
  await publish(10);
  await eventually('all were handled', () => handled().length === 10);
  expect((await info()).config).toMatchObject(right);
  await app?.close();
  await manager.consumers.update(STREAM, 'workers', wrong);
  await publish(10);
  await start();
  await eventually('all were handled', () => handled().length === 10);
  expect((await info()).config).toMatchObject(right);
});

test.each([
  ['one filter', { filter_subject: 'work.y' }],
  ['several', { filter_subjects: ['work.y', 'work.z'] }],
])(
  'IN-E14: what its consumer passed over while somebody had given it %s is fetched, and nothing that is settled',
  async (_what, filter) => {
    await makeStream();
    const js = jetstream(nc);
    await manager.consumers.add(STREAM, { durable_name: 'workers', ack_policy: AckPolicy.Explicit, ...filter });
    const narrow = await js.consumers.get(STREAM, 'workers');
    await publish(3);
    await js.publish('work.y', '9');
    (await narrow.next())?.ack();
    await eventually('it has passed them', async () => (await info()).ack_floor.stream_seq === 4);

    const before = bus.counters.durableRewinds;
    await start();
    await publish(3, 3);
    await eventually('all were handled', async () => handled().length === 6 && (await settled()));
    expect([handled(), bus.counters.durableRewinds > before]).toEqual([upTo(6), true]);
    expect((await manager.streams.info(STREAM)).state.messages).toBe(0);
  },
);

test('IN-E14: so is what it passed over before anything was acknowledged, and what is somebody else’s is left alone', async () => {
  await manager.streams.add({ name: STREAM, subjects: ['work.*', 'other'], retention: RetentionPolicy.Workqueue });
  await jetstream(nc).publish('other', '0');
  await manager.consumers.add(STREAM, { durable_name: 'workers', ack_policy: AckPolicy.Explicit, filter_subject: 'work.nothing' });
  await publish(5);
  // Whoever asks makes the server look, and pass over what it finds.
  for await (const message of await (await jetstream(nc).consumers.get(STREAM, 'workers')).fetch({ expires: 1_000 })) message.nak();
  await start();
  await eventually('all were handled', async () => handled().length === 5 && (await settled()));
  const { created } = await info();
  // As often as it looks in so long.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect([(await info()).created, (await manager.streams.info(STREAM)).state.messages]).toEqual([created, 1]);
});

test('its backlog is known: what waits, and what is being worked on', async () => {
  await makeStream();
  await publish(1_000);
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = await start(() => promise);
  await eventually('it is read', () =>
    server.backlogs.some(({ waiting, unacknowledged }) => waiting + unacknowledged === 1_000 && unacknowledged >= 200),
  );
  expect(server.backlogs).toEqual([{ durable: 'workers', waiting: expect.any(Number), unacknowledged: expect.any(Number) }]);
  resolve();
  await eventually('it is 0 again', () => server.backlogs.every(({ waiting, unacknowledged }) => waiting + unacknowledged === 0));
});

test('two replicas share the messages, each goes to one of them', async () => {
  await makeStream();
  await start();
  const other = await nestApp([Worker], [new DurableServer(bus)]);
  await publish(2_000);
  await eventually('all were handled', async () => seen.flat().length >= 2_000 && (await settled()));
  expect(seen.flat()).toHaveLength(2_000);
  expect(handled()).toEqual(upTo(2_000));
  await other.close();
});

test('the server killed and wiped in the middle of it: it boots without, comes back by itself', async () => {
  await nats.restart({
    signal: 'SIGKILL',
    wipe: true,
    whileDown: async () => {
      await start();
      expect((await fetch(`${await app?.getUrl()}/nothing`)).status).toBe(404);
    },
  });
  await eventually('the peer is back', () => makeStream().then(Boolean, () => false));
  await publish(50);
  await eventually('all were handled', async () => handled().length === 50 && (await settled()));

  const { promise, resolve } = Promise.withResolvers<void>();
  work = () => promise;
  await publish(10, 50);
  await eventually('a batch is in hand', () => handled().length === 60);
  await nats.restart({ signal: 'SIGKILL', whileDown: async () => resolve() });
  await eventually('what was worked on meanwhile is acknowledged', settled);
  await publish(10, 60);
  await eventually('it goes on', () => handled().length === 70);
});
