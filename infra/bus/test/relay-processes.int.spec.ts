import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EventStore } from '@bursar/event-store';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { Bus } from '../src/bus.js';
import { fromBatch } from '../src/cloud-event.js';
import { appendOf, eventually, usages } from './support/events.js';
import { PARTITIONS, World } from './support/world.js';

/** Real relay processes, killed and frozen. What they publish has the same ids whoever does it: nothing is on EVENTS twice. */

const LEASE_MS = 1_000;
let world: World;
let store: EventStore;
let bus: Bus;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  world = await World.make();
  store = await world.store();
  bus = await world.bus('watcher');
});
afterEach(async () => {
  for (const child of [...running]) await kill(child);
});
afterAll(() => world?.end());

const start = (): ChildProcess => {
  const script = fileURLToPath(new URL('./support/relay-process.ts', import.meta.url));
  const env = {
    ...process.env,
    DATABASE_URL: world.database.url,
    NATS_URL: world.nats.url,
    PARTITIONS: `${PARTITIONS}`,
    LEASE_MS: `${LEASE_MS}`,
  };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env: { ...env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  running.add(child);
  return child;
};
const kill = async (child: ChildProcess): Promise<void> => {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
};

let appended = 0;
/** Appends of these sizes to a partition, each of one tenant: sizes beyond a message and beyond a page of the store among them. */
const append = async (partition: number, sizes: readonly number[]): Promise<void> => {
  for (const size of sizes) {
    await store.append(appendOf(partition, usages(appended, size, `t${partition}`), `t${partition}`));
    appended += size;
  }
};

const rowsOf = async <R extends object>(sql: string): Promise<readonly R[]> => (await world.pool.query<R>(sql)).rows;
const caughtUp = async (): Promise<boolean> => {
  const rows = await rowsOf<{ partition: number; position: number | string }>(
    "SELECT partition, position FROM projection.checkpoint WHERE projection = 'relay'",
  );
  const reached = new Map(rows.map(({ partition, position }) => [partition, Number(position)]));
  return (await store.heads()).every(({ partition, position }) => (reached.get(partition) ?? 0) === position);
};
/** How many partitions each live owner leads, ascending. */
const shares = async (): Promise<string> => {
  const rows = await rowsOf<{ held: number | string }>(
    "SELECT count(*) AS held FROM projection.lease WHERE consumer = 'relay' AND owner IS NOT NULL AND expires_at > now() GROUP BY owner ORDER BY 1",
  );
  return rows.map(({ held }) => Number(held)).join(' ');
};

const sent = async (): Promise<number> => {
  if (bus.connection === null) throw new Error('not connected');
  return (await (await jetstreamManager(bus.connection)).streams.info('EVENTS')).state.messages;
};

/** Every message of EVENTS: its id, and the positions in it. */
const onEvents = async () => {
  if (bus.connection === null) throw new Error('not connected');
  const state = { messages: await sent() };
  const source = await jetstream(bus.connection).consumers.get('EVENTS');
  const messages: Readonly<{ id: string; positions: readonly string[] }>[] = [];
  while (messages.length < state.messages) {
    for await (const message of await source.fetch({ max_messages: state.messages - messages.length, expires: 2_000 })) {
      const positions = fromBatch(message.string()).map(({ partition, position }) => `${partition}/${position}`);
      messages.push({ id: message.headers?.get('Nats-Msg-Id') ?? '', positions });
    }
  }
  return messages;
};
const expectEachOnce = async (): Promise<void> => {
  const messages = await onEvents();
  const positions = messages.flatMap((message) => message.positions);
  expect(positions.length).toBe(appended);
  expect(new Set(positions).size).toBe(appended);
};

test('a relay that is killed anywhere is followed by one that sends the same under the same ids', async () => {
  const sizes = [501, 3, 1, 999, 40, 700];
  for (let kills = 0; kills < 4; kills += 1) {
    const child = start();
    const before = await sent();
    await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => append(partition, sizes.slice(kills % 4))));
    // Somewhere between its first messages and its next checkpoint.
    await eventually('it sends', async () => (await sent()) > before, 60_000);
    await new Promise((resolve) => setTimeout(resolve, (kills * 137) % 500));
    await kill(child);
  }
  start();
  await eventually('all was sent', caughtUp, 60_000);
  await expectEachOnce();
}, 180_000);

test('two share the partitions; one that freezes or dies is replaced, and shares again when it is back', async () => {
  const [one] = [start(), start()];
  await eventually('both have half', async () => (await shares()) === '2 2', 60_000);
  one.kill('SIGSTOP');
  await eventually('the other has all', async () => (await shares()) === '4', 60_000);
  for (let partition = 0; partition < PARTITIONS; partition += 1) await append(partition, [5, 600]);
  await eventually('all was sent', caughtUp, 60_000);
  one.kill('SIGCONT');
  await eventually('both have half again', async () => (await shares()) === '2 2', 60_000);
  for (let partition = 0; partition < PARTITIONS; partition += 1) await append(partition, [5, 600]);
  await eventually('all was sent again', caughtUp, 60_000);
  await kill(one);
  await eventually('the other has all again', async () => (await shares()) === '4', 60_000);
  for (let partition = 0; partition < PARTITIONS; partition += 1) await append(partition, [7]);
  await eventually('all was sent by it', caughtUp, 60_000);
  await expectEachOnce();
}, 180_000);
