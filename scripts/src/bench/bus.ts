import { type Bus, connectBus, consumeLedger } from '@bursar/bus';
import { type AppendedRange, createEventStore, type EventStore } from '@bursar/event-store';
import { usageEvents } from './append-data.ts';
import { inFreshDatabase } from './bench-database.ts';
import { rawConsume, rawPublish } from './bus-raw.ts';
import { copyLimit } from './copy-limit.ts';
import type { BenchRow } from './row.ts';
import { readyBus, withNats } from './scratch-nats.ts';
import { median } from './statistics.ts';
import type { Suite } from './suite.ts';
import { untilTrue } from './wait.ts';

const ROUNDS = 3;
const EVENTS = 100_000;
const RANGE = 100;
const OUTSTANDING = 16;
/** Ranges the publisher may be ahead of the consumer: less than a consumer buffers, so that all of it goes over the bus. */
const AHEAD = 40;
const BATCH = 1_000;
/** A consumer's first look at the store may find the first appends. */
const ALMOST_ALL = 0.95;

const PUBLISH = `publish ${RANGE}-event ranges, ${OUTSTANDING} outstanding`;
const CONSUME = 'consume over NATS: verified to the byte, decoded';
const CATCH_UP = 'consume from the store (catch-up, rebuild)';

export const busSuite: Suite = {
  about: 'the ledger over NATS and back, and from the store',
  rows: [PUBLISH, CONSUME, CATCH_UP],
  run: async (system, emit) => emit(...(await benchBus((await system()).eventStoreUrl))),
};

type Round = Readonly<{ publish: number; rawPublish: number; consume: number; rawConsume: number; catchUp: number; copy: number }>;

/**
 * The ledger's way over NATS and back, each beside the same work done as barely as the client allows, and catching up from the
 * store beside the COPY limit. One process publishes and consumes, as the limit does. A nats-server of its own: nobody else listens.
 */
const benchBus = async (serverUrl: string): Promise<readonly BenchRow[]> => {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const copy = await copyLimit(serverUrl, EVENTS);
    rounds.push({ copy, ...(await inFreshDatabase(serverUrl, (url) => withNats((nats) => measure(url, nats.url)))) });
  }
  const row = (name: string, key: keyof Round, limitKey: keyof Round, limitName: string, floor?: number): BenchRow => ({
    name,
    value: median(rounds.map((round) => round[key])),
    unit: 'events/s',
    limitName,
    limit: median(rounds.map((round) => round[limitKey])),
    ratio: median(rounds.map((round) => round[key] / round[limitKey])),
    ...(floor === undefined ? {} : { floor }),
  });
  return [
    row(PUBLISH, 'publish', 'rawPublish', 'same bytes, prepared, bare publish'),
    row(CONSUME, 'consume', 'rawConsume', 'ordered consumer, JSON.parse'),
    row(CATCH_UP, 'catchUp', 'copy', 'text COPY, 1 connection', 0.5),
  ];
};

const measure = async (databaseUrl: string, natsUrl: string): Promise<Omit<Round, 'copy'>> => {
  const store = await createEventStore(databaseUrl, { partitions: 1, groupEvents: RANGE });
  const publisher = await readyBus(natsUrl, 'bench-publisher');
  const consumer = await readyBus(natsUrl, 'bench-consumer');
  try {
    const following = follow(store, consumer, EVENTS);
    await following.watching;
    const ranges = await fill(store);
    const consume = EVENTS / (await seconds(() => publishBehind(publisher, ranges, following)));
    if (consumer.counters.eventsFromBus < EVENTS * ALMOST_ALL) throw new Error('much of it was read from the store, not from the bus');
    const publish = EVENTS / (await seconds(() => inWindow(ranges, OUTSTANDING, (range) => stored(publisher.sendRange(range)))));
    const bare = await rawPublish(natsUrl, ranges, OUTSTANDING);
    const parsed = await rawConsume(natsUrl, ranges.length, RANGE);
    return { publish, consume, rawPublish: bare, rawConsume: parsed, catchUp: await catchUp(store) };
  } finally {
    await Promise.all([publisher.close(), consumer.close()]);
    await store.close();
  }
};

/** Rebuild without NATS: everything from the store. */
const catchUp = async (store: EventStore): Promise<number> => {
  const alone = await connectBus({ url: 'nats://127.0.0.1:1', name: 'bench-alone' });
  try {
    return EVENTS / (await seconds(() => follow(store, alone, EVENTS).done));
  } finally {
    await alone.close();
  }
};

type Following = Readonly<{ watching: Promise<void>; position: () => number; done: Promise<void> }>;

/** A consumer that counts, until it has seen so many. */
const follow = (store: EventStore, bus: Bus, until: number): Following => {
  const ending = new AbortController();
  let position = 0;
  const options = { store, bus, partition: 0, after: 0, maxEvents: BATCH, pollMs: 60_000, signal: ending.signal };
  const done = consumeLedger(options, async ({ last }) => {
    position = last;
    if (position >= until) ending.abort();
  });
  return { watching: untilTrue(() => bus.counters.storeReads > 0), position: () => position, done };
};

const fill = async (store: EventStore): Promise<readonly AppendedRange[]> => {
  const ranges: AppendedRange[] = [];
  store.onAppended((range) => ranges.push(range));
  const events = usageEvents('bus', EVENTS);
  for (let at = 0; at < EVENTS; at += RANGE) {
    await store.append({ partition: 0, stream: 'usage-bench', events: events.slice(at, at + RANGE), expectedRevision: 'any' });
  }
  return ranges;
};

const publishBehind = async (bus: Bus, ranges: readonly AppendedRange[], following: Following): Promise<void> => {
  for (const [index, range] of ranges.entries()) {
    if (index % OUTSTANDING === 0)
      await untilTrue(() => index * RANGE - following.position() < AHEAD * RANGE && bus.unacknowledged < AHEAD);
    void bus.sendRange(range);
  }
  await following.done;
};

const inWindow = async <T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> => {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
};

const stored = async (acknowledged: Promise<boolean>): Promise<void> => {
  if (!(await acknowledged)) throw new Error('JetStream did not store a range');
};

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
};
