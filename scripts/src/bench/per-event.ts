import { toCloudEvent } from '@bursar/bus';
import { type AppendedRange, createEventStore, type EventStore } from '@bursar/event-store';
import { jetstream } from '@nats-io/jetstream';
import { connect, createInbox, headers, type NatsConnection } from '@nats-io/transport-node';
import { usageEvents } from './append-data.ts';
import { inFreshDatabase } from './bench-database.ts';
import { cpuMicros } from './cpu.ts';
import { readyBus, type ScratchNats, withNats } from './scratch-nats.ts';
import { median } from './statistics.ts';

const ROUNDS = 3;
const EVENTS = 50_000;
const BATCH = 500;
/** So that one append is prepared while another commits. */
const CALLERS = 4;
/** So that the store is not what both ways wait for. */
const PARTITIONS = 2;
const OUTSTANDING = 1_000;
const SUBJECT = 'ledger.*';

type Way = Readonly<{ perSecond: number; micros: number }>;
type EndToEnd = Readonly<{ ranges: Way; single: Way; ratio: number; cpuRatio: number }>;

/**
 * Events per second from the append through JetStream to a consumer that has parsed them: one message a range of up to 500 events,
 * and one message an event. The same bare client on both ways, with counted acknowledgements; the ratio is the median of the rounds'.
 */
export const perEventEndToEnd = async (serverUrl: string): Promise<EndToEnd> => {
  const rounds: { ranges: Way; single: Way }[] = [];
  const one = (whole: boolean): Promise<Way> => inFreshDatabase(serverUrl, (url) => withNats((nats) => run(url, nats, whole)));
  for (let round = 0; round < ROUNDS; round += 1) rounds.push({ ranges: await one(true), single: await one(false) });
  const of = (way: 'ranges' | 'single'): Way => ({
    perSecond: median(rounds.map((round) => round[way].perSecond)),
    micros: median(rounds.map((round) => round[way].micros)),
  });
  return {
    ranges: of('ranges'),
    single: of('single'),
    ratio: median(rounds.map(({ ranges, single }) => ranges.perSecond / single.perSecond)),
    cpuRatio: median(rounds.map(({ ranges, single }) => ranges.micros / single.micros)),
  };
};

const run = async (databaseUrl: string, nats: ScratchNats, whole: boolean): Promise<Way> => {
  const setUp = await readyBus(nats.url, 'bench-set-up');
  await setUp.close();
  const store = await createEventStore(databaseUrl, { partitions: PARTITIONS, groupEvents: BATCH });
  const nc = await connectTo(nats.url);
  try {
    const bodiesOf = ({ events }: AppendedRange): readonly string[] =>
      whole ? [`[${events.map(toCloudEvent).join(',')}]`] : events.map(toCloudEvent);
    const publisher = new CountedPublisher(nc);
    store.onAppended((range) => publisher.send(`ledger.${range.partition}`, bodiesOf(range)));
    const consumed = consume(nc, EVENTS);
    const events = usageEvents(whole ? 'ranges' : 'single', EVENTS);
    const natsBefore = cpuMicros(nats.pid);
    const before = process.cpuUsage();
    const startedAt = performance.now();
    await Promise.all([append(store, publisher, events), consumed]);
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(before);
    return { perSecond: EVENTS / seconds, micros: (user + system + cpuMicros(nats.pid) - natsBefore) / EVENTS };
  } finally {
    await nc.close();
    await store.close();
  }
};

const append = async (store: EventStore, publisher: CountedPublisher, events: ReturnType<typeof usageEvents>): Promise<void> => {
  let next = 0;
  const caller = async (partition: number): Promise<void> => {
    for (let at = next; at < events.length; at = next) {
      next += BATCH;
      await store.append({ partition, stream: `usage-bench${partition}`, events: events.slice(at, at + BATCH), expectedRevision: 'any' });
      await publisher.room();
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(index % PARTITIONS)));
};

/** PERFORMANCE §1: an inbox of its own and acknowledgements that are only counted. */
class CountedPublisher {
  readonly #nc: NatsConnection;
  readonly #inbox = createInbox();
  #sent = 0;
  #acked = 0;
  #waiting: (() => void)[] = [];

  constructor(nc: NatsConnection) {
    this.#nc = nc;
    nc.subscribe(this.#inbox, {
      callback: () => {
        this.#acked += 1;
        if (this.#sent - this.#acked >= OUTSTANDING) return;
        for (const go of this.#waiting.splice(0)) go();
      },
    });
  }

  send(subject: string, bodies: readonly string[]): void {
    for (const body of bodies) {
      const fields = headers();
      fields.set('Nats-Msg-Id', String(this.#sent));
      this.#sent += 1;
      this.#nc.publish(subject, body, { headers: fields, reply: this.#inbox });
    }
  }

  /** Resolves when fewer than a thousand messages are unacknowledged. */
  async room(): Promise<void> {
    if (this.#sent - this.#acked >= OUTSTANDING) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

const consume = async (nc: NatsConnection, events: number): Promise<void> => {
  const consumer = await jetstream(nc).consumers.get('LEDGER', { filter_subjects: [SUBJECT] });
  let seen = 0;
  for await (const message of await consumer.consume({ max_messages: BATCH })) {
    const parsed: unknown = JSON.parse(Buffer.from(message.data).toString('utf8'));
    seen += Array.isArray(parsed) ? parsed.length : 1;
    if (seen >= events) return;
  }
};

const connectTo = (url: string): Promise<NatsConnection> => {
  const { host, username, password } = new URL(url);
  return connect({ servers: host, user: decodeURIComponent(username), pass: decodeURIComponent(password) });
};
