import type { ConnectionOptions } from '@nats-io/transport-node';

/**
 * Options from a URL such as `nats://user:password@host:4222`, several separated by commas. The client takes no credentials
 * from URLs, so they are cut out here. `tls://` insists on TLS: there is no fall-back to plain text (RELIABILITY IN-E16).
 * Throws `TypeError` on what is no URL.
 */
export const connectionOptions = (url: string, name: string): ConnectionOptions => {
  const urls = url.split(',').map((text) => new URL(text.trim()));
  const [first] = urls;
  const user = decodeURIComponent(first?.username ?? '');
  const pass = decodeURIComponent(first?.password ?? '');
  return {
    servers: urls.map(({ host }) => host),
    name,
    ...credentials(user, pass),
    ...(urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
    // What this process publishes it already has: no copies of its own ranges come back.
    noEcho: true,
    timeout: 3_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    // A server that is stopped keeps its connections open: notice within 6 s, before much waits to be sent.
    pingInterval: 2_000,
    maxPingOut: 2,
    // A password may be rotated while we run: refused twice is no reason to give up for ever.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  };
};

const credentials = (user: string, pass: string): ConnectionOptions => {
  if (user === '') return {};
  return pass === '' ? { token: user } : { user, pass };
};
