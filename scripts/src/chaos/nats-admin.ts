import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** A connection of our own to the server of a `natsUrl`, kept for ever. Rejects when nothing answers there. */
export const connectNats = (natsUrl: string): Promise<NatsConnection> => {
  const { host, username, password } = new URL(natsUrl);
  return connect({
    servers: host,
    user: decodeURIComponent(username),
    pass: decodeURIComponent(password),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    pingInterval: 1_000,
    maxPingOut: 2,
  });
};

/** Runs one thing as JetStream's administrator. */
export const administer = async <T>(natsUrl: string, use: (manager: JetStreamManager) => Promise<T>): Promise<T> => {
  const nc = await connectNats(natsUrl);
  try {
    return await use(await jetstreamManager(nc, { checkAPI: false }));
  } finally {
    await nc.close();
  }
};
