import { USAGE_REJECTED_STREAM, usageIntakeSubject, usageRecordSubject, usageRejectedSubject } from '@bursar/contracts/bus';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import type { Result } from './usage-client.js';

export const connectTo = async (url: string): Promise<NatsConnection> => {
  const { host, username, password } = new URL(url);
  return connect({ servers: host, user: username, pass: decodeURIComponent(password) });
};

const bytes = (body: unknown): Uint8Array =>
  body instanceof Uint8Array ? body : new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
const withHeaders = (named: Readonly<Record<string, string>>) => {
  const made = headers();
  for (const [name, value] of Object.entries(named)) made.set(name, value);
  return made;
};

/** Resolves when JetStream has stored it. */
export const publish = async (
  nc: NatsConnection,
  tenant: string,
  body: unknown,
  named: Readonly<Record<string, string>> = {},
): Promise<void> => {
  await jetstream(nc).publish(usageIntakeSubject(tenant), bytes(body), { headers: withHeaders(named), timeout: 30_000 });
};

export type Reply = Readonly<{ error: string | undefined; position: string | undefined; body: { results: Result[]; code?: string } }>;

export const request = async (
  nc: NatsConnection,
  tenant: string,
  body: unknown,
  named: Readonly<Record<string, string>> = {},
): Promise<Reply> => {
  const reply = await nc.request(usageRecordSubject(tenant), bytes(body), { timeout: 10_000, headers: withHeaders(named) });
  return {
    error: reply.headers?.get('Nats-Service-Error-Code') || undefined,
    position: reply.headers?.get('Bursar-Position') || undefined,
    body: reply.json(),
  };
};

export type DeadLetter = Readonly<{ reason: string; data: Uint8Array }>;

/** All that was put aside for a tenant. */
export const deadLetters = async (nc: NatsConnection, tenant: string): Promise<readonly DeadLetter[]> => {
  const manager = await jetstreamManager(nc);
  const letters: DeadLetter[] = [];
  const { state } = await manager.streams.info(USAGE_REJECTED_STREAM);
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 1) {
    const message = await manager.streams.getMessage(USAGE_REJECTED_STREAM, { seq });
    if (message?.subject !== usageRejectedSubject(tenant)) continue;
    letters.push({ reason: message.header.get('Bursar-Reason'), data: message.data });
  }
  return letters;
};
