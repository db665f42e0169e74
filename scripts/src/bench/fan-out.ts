import { type Bus, consumeStored, startRelay, toCloudEvent } from '@bursar/bus';
import { eventsSubject, HEADER } from '@bursar/contracts/bus';
import { createPool, migrate, type Pool } from '@bursar/database';
import { type AppendedRange, createEventStore, type EventStore, type StoredEvent } from '@bursar/event-store';
import { headers } from '@nats-io/transport-node';
import { usageEvents } from './append-data.ts';
import { inFreshDatabase } from './bench-database.ts';
import { cpuMicros } from './cpu.ts';
import { perEventEndToEnd } from './per-event.ts';
import { against, type BenchRow } from './row.ts';
import { readyBus, withNats } from './scratch-nats.ts';
import { median } from './statistics.ts';
import type { Suite } from './suite.ts';
import { untilTrue } from './wait.ts';

const ROUNDS = 3;
const EVENTS = 50_000;
const RANGE = 100;
const BATCH = 500;
const TENANT = 'bench';

const RATE = 'fan-out to events.*, usage in batches';
const RELAY_CPU = 'relay CPU with the fan-out';
const FAN_OUT_CPU = 'fan-out CPU, usage in batches';
const NATS_CPU = 'nats-server CPU of the fan-out, usage in batches';
const END_TO_END = 'append → publish → consume, ranges beside one message per event';
const END_TO_END_CPU = `${END_TO_END}, CPU of client and nats-server`;

type Cost = Readonly<{ perSecond: number; ownMicros: number; natsMicros: number }>;
type Round = Readonly<{ relay: Cost; reading: Cost; single: Cost }>;

/**
 * What telling the world costs: the relay over a stored backlog with its fan-out, beside the same reading without it and beside one
 * message per event through the same publisher. Then whole ranges against one message per event from append to consumer.
 */
export const fanOutSuite: Suite = {
  about: 'CPU of the fan-out per event, and usage in batches beside one message per event',
  rows: [RATE, RELAY_CPU, FAN_OUT_CPU, NATS_CPU, END_TO_END, END_TO_END_CPU],
  run: async (system, emit) => {
    const { eventStoreUrl } = await system();
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.push(await inFreshDatabase(eventStoreUrl, (url) => withNats((nats) => measure(url, nats))));
    }
    const of = (value: (round: Round) => number): number => median(rounds.map(value));
    const fanOut = (round: Round): number => round.relay.ownMicros - round.reading.ownMicros;
    const micros = (name: string, value: (round: Round) => number, limitName: string, limit: (round: Round) => number): BenchRow => ({
      ...against(name, of(value), 'µs/event', limitName, of(limit)),
      ratio: of((round) => value(round) / limit(round)),
      lowerIsBetter: true,
    });
    emit(
      {
        ...against(
          RATE,
          of(({ relay }) => relay.perSecond),
          'events/s',
          'one message per event',
          of(({ single }) => single.perSecond),
        ),
        ratio: of(({ relay, single }) => relay.perSecond / single.perSecond),
        note: 'peer without its reading',
      },
      micros(
        RELAY_CPU,
        ({ relay }) => relay.ownMicros,
        'the same reading alone',
        ({ reading }) => reading.ownMicros,
      ),
      micros(FAN_OUT_CPU, fanOut, 'one message per event', ({ single }) => single.ownMicros),
      micros(
        NATS_CPU,
        ({ relay }) => relay.natsMicros,
        'one message per event',
        ({ single }) => single.natsMicros,
      ),
    );
    const ends = await perEventEndToEnd(eventStoreUrl);
    emit(
      {
        ...against(END_TO_END, ends.ranges.perSecond, 'events/s', 'one message per event', ends.single.perSecond),
        ratio: ends.ratio,
        floor: 1.4,
        goal: 1.8,
        note: 'bare client, parsed, not folded',
      },
      {
        ...against(END_TO_END_CPU, ends.ranges.micros, 'µs/event', 'one message per event', ends.single.micros),
        ratio: ends.cpuRatio,
        lowerIsBetter: true,
        note: 'without PostgreSQL',
      },
    );
  },
};

const measure = async (url: string, nats: Readonly<{ url: string; pid: number }>): Promise<Round> => {
  await migrate(url);
  const store = await createEventStore(url, { partitions: 1, groupEvents: RANGE });
  const pool = createPool(url, { name: 'bench', max: 2 });
  const bus = await readyBus(nats.url, 'bench-relay');
  try {
    await fill(store, bus);
    const cost = (work: () => Promise<unknown>): Promise<Cost> => costOf(nats.pid, work);
    const reading = await cost(() => read(store, bus, async () => undefined));
    const single = await cost(() => singles(store, bus));
    return { reading, single: without(single, reading), relay: await cost(() => relay(store, bus, pool, url)) };
  } finally {
    await bus.close();
    await pool.end();
    await store.close();
  }
};

/** Stored and on `ledger.*`, so that the relay has nothing to put right there. */
const fill = async (store: EventStore, bus: Bus): Promise<void> => {
  const ranges: AppendedRange[] = [];
  store.onAppended((range) => ranges.push(range));
  const meta = JSON.stringify({ tenant: TENANT });
  const events = usageEvents('fan-out', EVENTS).map((event) => ({ ...event, meta }));
  for (let at = 0; at < EVENTS; at += RANGE) {
    await store.append({ partition: 0, stream: `usage-${TENANT}`, events: events.slice(at, at + RANGE), expectedRevision: 'any' });
  }
  for (const range of ranges) if (!(await bus.sendRange(range))) throw new Error('JetStream did not store a range');
};

const read = async (store: EventStore, bus: Bus, handle: (events: readonly StoredEvent[]) => Promise<void>): Promise<void> => {
  const ending = new AbortController();
  const options = { store, bus, partition: 0, after: 0, maxEvents: BATCH, pollMs: 200, signal: ending.signal };
  await consumeStored(options, async ({ events, last }) => {
    await handle(events);
    if (last >= EVENTS) ending.abort();
  });
};

/** As the relay does it, but for the batches: a structured CloudEvent a message, each with its own id. */
const singles = (store: EventStore, bus: Bus): Promise<void> =>
  read(store, bus, async (events) => {
    const stored = events.map((event) => {
      const fields = headers();
      fields.set('Content-Type', 'application/cloudevents+json');
      fields.set(HEADER.messageId, event.id);
      return bus.store(eventsSubject(TENANT, event.type), Buffer.from(toCloudEvent(event)), fields);
    });
    if ((await Promise.all(stored)).includes(null)) throw new Error('JetStream did not store an event');
  });

const relay = async (store: EventStore, bus: Bus, pool: Pool, url: string): Promise<void> => {
  const running = startRelay({ store, bus, pool, url });
  const before = bus.counters.fanoutMessages;
  try {
    await untilTrue(() => bus.counters.fanoutMessages - before >= EVENTS / RANGE);
  } finally {
    await running.stop();
  }
  const { rows } = await pool.query<{ position: string }>("SELECT position FROM projection.checkpoint WHERE projection = 'relay'");
  if (Number(rows[0]?.position) !== EVENTS) throw new Error(`the relay came to ${rows[0]?.position} of ${EVENTS} events`);
};

const costOf = async (natsPid: number, work: () => Promise<unknown>): Promise<Cost> => {
  const natsBefore = cpuMicros(natsPid);
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const perSecond = (EVENTS / (performance.now() - startedAt)) * 1000;
  const { user, system } = process.cpuUsage(before);
  return { perSecond, ownMicros: (user + system) / EVENTS, natsMicros: (cpuMicros(natsPid) - natsBefore) / EVENTS };
};

/** The cost of the messages alone: what reading takes is taken off. */
const without = (cost: Cost, reading: Cost): Cost => ({
  perSecond: 1 / (1 / cost.perSecond - 1 / reading.perSecond),
  ownMicros: cost.ownMicros - reading.ownMicros,
  natsMicros: cost.natsMicros,
});
