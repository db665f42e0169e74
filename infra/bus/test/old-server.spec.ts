import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectBus } from '../src/bus.js';
import type { Logger } from '../src/logger.js';
import { eventually } from './support/events.js';

/** Speaks just enough of the protocol to be connected to: what a nats-server of another version would say of itself. */
const serverOfVersion = (version: string): Server =>
  createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`INFO ${JSON.stringify({ server_id: 'x', proto: 1, version, headers: true, max_payload: 1_048_576 })}\r\n`);
    socket.on('data', (data) => {
      if (data.includes('PING')) socket.write('PONG\r\n');
    });
  });

let old: Server;
let url: string;

beforeAll(async () => {
  old = serverOfVersion('2.9.10');
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  const address = old.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `nats://127.0.0.1:${address.port}`;
});

afterAll(() => {
  old.close();
});

test('a server too old to do what we ask is named and not used: it would ignore what it does not know', async () => {
  const told: string[] = [];
  const logger: Logger = { info: () => undefined, warn: () => undefined, error: (_, message) => told.push(message) };
  const bus = await connectBus({ url, name: 'test', logger });
  await eventually('it was noticed', () => bus.problems.includes('server_too_old'));
  expect(bus.connected).toBe(false);
  expect(told).toEqual(['nats-server 2.9.10 is older than 2.12.0: it is not used']);
  await bus.close();
});
