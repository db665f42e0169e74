import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type CallerFigures, callers } from '../append-ours.ts';
import { CALLERS, WARM_UP } from './peers.ts';

/** What is asked, and what an answer says that is none otherwise. */
export type NatsCall = Readonly<{ subject: string; body: string; expects: string }>;

/** Asks by request-reply with an inbox of its own: one subscription for all replies, so that no request makes one. */
export const natsCallers = async (natsUrl: string, calls: number, call: NatsCall): Promise<CallerFigures> => {
  const { username, password, host } = new URL(natsUrl);
  const nc = await connect({ servers: host, user: decodeURIComponent(username), pass: decodeURIComponent(password) });
  try {
    const ask = await asker(nc, call);
    return await callers({ appends: calls, callers: CALLERS, warmUp: WARM_UP }, ask);
  } finally {
    await nc.close();
  }
};

const asker = async (nc: NatsConnection, { subject, body, expects }: NatsCall): Promise<() => Promise<void>> => {
  const inbox = `_INBOX.${randomUUID()}`;
  const waiting = new Map<string, (error: Error | null) => void>();
  nc.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      const token = message.subject.slice(inbox.length + 1);
      // As its peer's answer is looked at: reading the headers would be several times what that costs.
      const isExpected = error === null && message.string().includes(expects);
      waiting.get(token)?.(isExpected ? null : (error ?? new Error(`${subject}: ${message.string()}`)));
      waiting.delete(token);
    },
  });
  await nc.flush();
  let next = 0;
  return () =>
    new Promise((resolve, reject) => {
      const token = String(next++);
      waiting.set(token, (error) => (error === null ? resolve() : reject(error)));
      nc.publish(subject, body, { reply: `${inbox}.${token}` });
    });
};
