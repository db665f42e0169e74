import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type CallerFigures, callers } from '../append-ours.ts';
import { CALLERS, WARM_UP } from './peers.ts';

/** Asks by request-reply with an inbox of its own: one subscription for all replies, so that no request makes one. */
export const natsCallers = async (natsUrl: string, subject: string, appends: number, body: () => string): Promise<CallerFigures> => {
  const { username, password, host } = new URL(natsUrl);
  const nc = await connect({ servers: host, user: decodeURIComponent(username), pass: decodeURIComponent(password) });
  try {
    const ask = await asker(nc, subject);
    return await callers({ appends, callers: CALLERS, warmUp: WARM_UP }, () => ask(body()));
  } finally {
    await nc.close();
  }
};

const asker = async (nc: NatsConnection, subject: string): Promise<(body: string) => Promise<void>> => {
  const inbox = `_INBOX.${randomUUID()}`;
  const waiting = new Map<string, (error: Error | null) => void>();
  nc.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      const token = message.subject.slice(inbox.length + 1);
      const refused = message.headers?.get('Nats-Service-Error');
      waiting.get(token)?.(error ?? (refused ? new Error(`${subject}: ${refused}`) : null));
      waiting.delete(token);
    },
  });
  await nc.flush();
  let next = 0;
  return (body) =>
    new Promise((resolve, reject) => {
      const token = String(next++);
      waiting.set(token, (error) => (error === null ? resolve() : reject(error)));
      nc.publish(subject, body, { reply: `${inbox}.${token}` });
    });
};
