import { rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startNats } from '../src/nats/start-nats.js';
import { isPortFree } from '../src/ports.js';
import { isAlive } from '../src/processes.js';
import { type TestNats, testNats } from '../src/testing/test-nats.js';

/** What the server answers to a CONNECT with these credentials and a PING: its INFO, then PONG or -ERR. */
const talk = (url: string, user: string, pass: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    let text = '';
    socket.once('error', reject);
    socket.on('data', (data) => {
      text += data.toString();
      if (/PONG|-ERR/.test(text)) socket.destroy();
    });
    socket.once('close', () => resolve(text));
    socket.write(`CONNECT ${JSON.stringify({ verbose: false, user, pass })}\r\nPING\r\n`);
  });

describe('a nats-server for tests', () => {
  let nats: TestNats;
  beforeAll(async () => {
    nats = await testNats();
  });
  afterAll(() => nats.stop());

  test('lets in who has the credentials of its URL, with JetStream', async () => {
    const { username, password } = new URL(nats.url);
    const answer = await talk(nats.url, username, password);
    expect(answer).toMatch(/"jetstream":true/);
    expect(answer).toMatch(/"max_payload":1048576/);
    expect(answer).toMatch(/PONG/);
  });

  test('turns away who has not', async () => expect(await talk(nats.url, 'bursar', 'guess')).toMatch(/-ERR 'Authorization Violation'/));

  test('keeps its address over a crash, and is another process then', async () => {
    const { url, pid } = nats;
    await nats.restart({ signal: 'SIGKILL' });
    expect(nats.url).toBe(url);
    expect(nats.pid).not.toBe(pid);
    expect([isAlive(pid), isAlive(nats.pid)]).toEqual([false, true]);
  });

  test('has given its port back by the time it is no longer alive', async () => {
    for (let nth = 0; nth < 10; nth += 1) {
      const port = Number(new URL(nats.url).port);
      process.kill(nats.pid, 'SIGKILL');
      const until = performance.now() + 5_000;
      while (isAlive(nats.pid) && performance.now() < until); // as closely as can be: it is a matter of a millisecond
      expect(await isPortFree(port)).toBe(true);
      await nats.restart();
    }
  });

  test('a port that is taken is one line', async () => {
    const { port } = new URL(nats.url);
    await expect(startNats({ dataDir: join(nats.dataDir, 'other'), port: Number(port) })).rejects.toThrow(
      /^nats-server cannot listen on port \d+: it is taken$/,
    );
  });

  test('its own credentials lie where only its owner reads them, and outlive its data', async () => {
    const dataDir = join(nats.dataDir, 'second');
    const first = await startNats({ dataDir });
    await first.stop();
    expect(statSync(`${dataDir}.credentials.json`).mode & 0o077).toBe(0);
    expect(isAlive(first.pid)).toBe(false);
    rmSync(dataDir, { recursive: true });
    const second = await startNats({ dataDir, port: first.port });
    await second.stop();
    expect(second.url).toBe(first.url);
  });
});
