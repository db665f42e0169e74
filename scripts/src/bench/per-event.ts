import { toCloudEvent } from '@bursar/bus';
import { type AppendedRange, createEventStore, type EventStore } from '@bursar/event-store';
import { jetstream } from '@nats-io/jetstream';
import { connect, createInbox, headers, type NatsConnection } from '@nats-io/transport-node';
import { usageEvents } from './append-data.ts';
import { inFreshDatabase } from './bench-database.ts';
import { readyBus, withNats } from './scratch-nats.ts';
import { median } from './statistics.ts';

const ROUNDS = 3;
const EVENTS = 50_000;
const BATCH = 500;
/** So that one append is prepared while another commits. */
const CALLERS = 2;
const OUTSTANDING = 1_000;
const SUBJECT = 'ledger.0';

type EndToEnd = Readonly<{ ranges: number; single: number; ratio: number }>;

/**
 * Events per second from the append through JetStream to a consumer that has parsed them: one message a range of up to 500 events,
 * and one message an event. The same bare client on both ways, with counted acknowledgements; the ratio is the median of the rounds'.
 */
export const perEventEndToEnd = async (serverUrl: string): Promise<EndToEnd> => {
  const rounds: { ranges: number; single: number }[] = [];
  const one = (whole: boolean): Promise<number> => inFreshDatabase(serverUrl, (url) => withNats((nats) => run(url, nats.url, whole)));
  for (let round = 0; round < ROUNDS; round += 1) rounds.push({ ranges: await one(true), single: await one(false) });
  return {
    ranges: median(rounds.map(({ ranges }) => ranges)),
    single: median(rounds.map(({ single }) => single)),
    ratio: median(rounds.map(({ ranges, single }) => ranges / single)),
  };
};

const run = async (databaseUrl: string, natsUrl: string, whole: boolean): Promise<number> => {
  const setUp = await readyBus(natsUrl, 'bench-set-up');
  await setUp.close();
  const store = await createEventStore(databaseUrl, { partitions: 1, groupEvents: BATCH });
  const nc = await connectTo(natsUrl);
  try {
    const bodiesOf = ({ events }: AppendedRange): readonly string[] =>
      whole ? [`[${events.map(toCloudEvent).join(',')}]`] : events.map(toCloudEvent);
    const publisher = new CountedPublisher(nc);
    store.onAppended((range) => publisher.send(bodiesOf(range)));
    const consumed = consume(nc, EVENTS);
    const events = usageEvents(whole ? 'ranges' : 'single', EVENTS);
    const startedAt = performance.now();
    await Promise.all([append(store, publisher, events), consumed]);
    return EVENTS / ((performance.now() - startedAt) / 1000);
  } finally {
    await nc.close();
    await store.close();
  }
};

const append = async (store: EventStore, publisher: CountedPublisher, events: ReturnType<typeof usageEvents>): Promise<void> => {
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let at = next; at < events.length; at = next) {
      next += BATCH;
      await store.append({ partition: 0, stream: 'usage-bench', events: events.slice(at, at + BATCH), expectedRevision: 'any' });
      await publisher.room();
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
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

  send(bodies: readonly string[]): void {
    for (const body of bodies) {
      const fields = headers();
      fields.set('Nats-Msg-Id', String(this.#sent));
      this.#sent += 1;
      this.#nc.publish(SUBJECT, body, { headers: fields, reply: this.#inbox });
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
