import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { type TestNats, testNats } from '@bursar/embedded';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import { BusRefusedError, connectBus } from '../src/bus.js';
import type { Logger } from '../src/logger.js';
import { eventually } from './support/events.js';

/** RELIABILITY IN-E16: what cannot be connected to as it was asked for is not connected to at all, and says so. */

let nats: TestNats;
let strangers: Server;
/** What clients sent before, or instead of, a TLS handshake. */
const plain: string[] = [];
const sockets = new Set<Socket>();

/** Says that it wants TLS, and shows a certificate that nobody has signed. */
const stranger = async (): Promise<Server> => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048, algorithm: 'sha256' });
  const secureContext = createSecureContext({ key, cert });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (first: Buffer) => {
      plain.push(first.toString('latin1'));
      socket.pause();
      socket.unshift(first);
      const secure = new TLSSocket(socket, { isServer: true, secureContext });
      secure.on('error', () => undefined);
      secure.on('data', (data: Buffer) => plain.push(data.toString('latin1')));
      socket.resume();
    });
    socket.write(
      `INFO ${JSON.stringify({ server_id: 'x', proto: 1, version: '2.12.0', max_payload: 1_048_576, tls_required: true, headers: true })}\r\n`,
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
};

beforeAll(async () => {
  [nats, strangers] = await Promise.all([testNats(), stranger()]);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  strangers.close();
  await nats.stop();
});

/** Tries for as long as it takes to be refused twice; answers why. `isCertain`: no waiting cures it, so whoever is refused is not ready. */
const refusal = async (url: string, isCertain: boolean): Promise<string> => {
  const told: string[] = [];
  const nothing = (): void => undefined;
  const logger: Logger = { info: nothing, warn: (fields) => void told.push(JSON.stringify(fields)), error: nothing };
  const bus = await connectBus({ url, name: 'refused', logger });
  const expected = isCertain ? 'refused' : 'not_connected';
  await eventually('it was refused', () => told.length > 0 && bus.problems.join() === expected);
  expect(bus.connected).toBe(false);
  if (isCertain) expect(() => bus.ready()).toThrow(BusRefusedError);
  await bus.close();
  return told.join(' ');
};

test('IN-E16: a server without TLS is not used where TLS was asked for', async () => {
  await refusal(nats.url.replace('nats://', 'tls://'), true);
});

test.each(['tls', 'nats'])(
  'IN-E16: a server with a certificate of an unknown authority is told nothing, not even a password (%s://)',
  async (scheme) => {
    plain.length = 0;
    const address = strangers.address();
    const port = typeof address === 'object' ? address?.port : 0;
    // The client tells of it only that the time was up, as of a server that stands still.
    await refusal(`${scheme}://user:secret@127.0.0.1:${port}`, false);
    expect(plain.length).toBeGreaterThan(0);
    // A TLS handshake begins with 0x16.
    expect(plain.filter((text) => !text.startsWith('\u0016'))).toEqual([]);
    expect(plain.join('')).not.toContain('secret');
  },
);

test('IN-E16: credentials that are good no longer', async () => {
  const url = new URL(nats.url);
  url.password = 'expired';
  expect(await refusal(url.href, true)).toMatch(/authorization/i);
});

test('a server that is away is no refusal, nor is one that refuses whom it knew: both pass, and the store goes on meanwhile', async () => {
  const away = await connectBus({ url: 'nats://user:secret@127.0.0.1:1', name: 'away' });
  await away.ensureStreams();
  expect(away.problems).toEqual(['not_connected']);
  expect(() => away.ready()).not.toThrow();
  await away.close();

  const known = await connectBus({ url: nats.url, name: 'known' });
  await eventually('it is connected', () => known.connected, 30_000);
  await nats.restart({ password: 'changed' });
  await eventually('it is refused', () => !known.connected, 30_000);
  expect(() => known.ready()).not.toThrow();
  await known.close();
});
