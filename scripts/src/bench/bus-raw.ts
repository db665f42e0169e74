import { toCloudEvent } from '@bursar/bus';
import type { AppendedRange } from '@bursar/event-store';
import { jetstream } from '@nats-io/jetstream';
import { connect, createInbox, headers, type NatsConnection } from '@nats-io/transport-node';

const SUBJECT = 'ledger.0';

/** Events per second of the same bytes, made beforehand, with a message id, to JetStream with counted acknowledgements. */
export const rawPublish = (url: string, ranges: readonly AppendedRange[], outstanding: number): Promise<number> =>
  connected(url, async (nc) => {
    const bodies = ranges.map((range) => Buffer.from(`[${range.events.map(toCloudEvent).join(',')}]`));
    const inbox = createInbox();
    let [sent, acked] = [0, 0];
    const { promise, resolve } = Promise.withResolvers<void>();
    const send = (): void => {
      const body = bodies[sent];
      if (body === undefined) return;
      const fields = headers();
      fields.set('Nats-Msg-Id', `raw-${sent}`);
      sent += 1;
      nc.publish(SUBJECT, body, { headers: fields, reply: inbox });
    };
    nc.subscribe(inbox, {
      callback: () => {
        acked += 1;
        if (acked === bodies.length) resolve();
        else send();
      },
    });
    const startedAt = performance.now();
    for (let n = 0; n < outstanding; n += 1) send();
    await promise;
    return eventsOf(ranges) / ((performance.now() - startedAt) / 1000);
  });

/** Events per second of reading so many messages with an ordered consumer and parsing them. */
export const rawConsume = (url: string, messages: number, eventsEach: number): Promise<number> =>
  connected(url, async (nc) => {
    const consumer = await jetstream(nc).consumers.get('LEDGER', { filter_subjects: [SUBJECT] });
    let seen = 0;
    const startedAt = performance.now();
    for await (const message of await consumer.consume({ max_messages: 500 })) {
      JSON.parse(Buffer.from(message.data).toString('utf8'));
      seen += 1;
      if (seen === messages) break;
    }
    return (messages * eventsEach) / ((performance.now() - startedAt) / 1000);
  });

const eventsOf = (ranges: readonly AppendedRange[]): number => ranges.reduce((sum, { events }) => sum + events.length, 0);

const connected = async <T>(url: string, work: (nc: NatsConnection) => Promise<T>): Promise<T> => {
  const { host, username, password } = new URL(url);
  const nc = await connect({ servers: host, ...(username === '' ? {} : { user: username, pass: password }) });
  try {
    return await work(nc);
  } finally {
    await nc.close();
  }
};
