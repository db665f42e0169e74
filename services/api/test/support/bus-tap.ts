import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import type { Seen } from './asyncapi.js';

export type Tapped = Seen & Readonly<{ subject: string }>;

/** Everything of Bursar's that goes over NATS while it is open, as bytes and headers. */
export class BusTap {
  readonly messages: Tapped[] = [];

  private constructor(readonly nc: NatsConnection) {
    for (const subject of ['ledger.*', 'appended.*', 'events.>', 'usage.>', 'budgets.>', 'alerts.>']) {
      nc.subscribe(subject, { callback: (error, message) => (error === null ? void this.messages.push(seenOf(message)) : undefined) });
    }
  }

  static async open(url: string): Promise<BusTap> {
    const { host, username, password } = new URL(url);
    const tap = new BusTap(await connect({ servers: host, user: username, pass: decodeURIComponent(password) }));
    await tap.nc.flush();
    return tap;
  }

  on(subject: string): readonly Tapped[] {
    return this.messages.filter((message) => message.subject === subject);
  }

  close(): Promise<void> {
    return this.nc.close();
  }
}

export const seenOf = ({ subject, headers, data }: Msg): Tapped => ({
  subject,
  headers: Object.fromEntries([...(headers ?? [])].map(([name, [value = '']]) => [name, value])),
  body: data.slice(),
});
