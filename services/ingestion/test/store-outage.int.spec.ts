import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, startPostgres } from '@bursar/embedded';
import { loadConfig, type Service } from '@bursar/platform';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bootIngestion } from '../src/boot.js';
import { IngestionEnv } from '../src/config.js';
import { type Answer, send, usage } from './support/usage-client.js';
import { environment, eventually } from './support/world.js';

/** RELIABILITY F1, F40, F44 against a PostgreSQL of its own that may be stopped. */

let directory = '';
let postgres: RunningServer;
let service: Service;
let url = '';
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bursar-outage-'));
  postgres = await startPostgres({ dataDir: join(directory, 'data'), dieWithParent: true });
  const config = loadConfig(IngestionEnv, { ...environment({ url: postgres.url, drop: async () => {} }, null), LOG_LEVEL: 'silent' });
  service = await bootIngestion(config);
  ({ url } = await service.start());
});
afterAll(async () => {
  await service.stop();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

const expectUnknown = (answer: Answer): void => {
  expect([answer.status, answer.body.code, answer.body.outcome, answer.body.retryable]).toEqual([
    503,
    'store_unavailable',
    'unknown',
    true,
  ]);
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(answer.text).not.toMatch(/postgres|5432|ECONN|password/i);
};

test('F1 no 202 without the store: 503, outcome unknown, and the same id is safe to repeat', async () => {
  const event = usage({ id: 'x' });
  expect((await send(url, event)).status).toBe(202);

  const { port } = postgres;
  await postgres.stop();
  const answers = await Promise.all([
    send(url, event),
    send(url, usage({ id: 'y' })),
    send(url, usage({ cost: undefined, quantities: { requests: 1 } })),
  ]);
  for (const answer of answers) expectUnknown(answer);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await fetch(`${url}/livez`)).status).toBe(200);

  postgres = await startPostgres({ dataDir: join(directory, 'data'), port, dieWithParent: true });
  await eventually(async () => (await send(url, usage({ id: 'y' }))).status === 202, 60_000);
  expect((await send(url, event)).body.results[0]?.status).toBe('duplicate');
  await eventually(async () => (await fetch(`${url}/readyz`)).status === 200);
});

test('a store that hangs is answered for within 10 s, and nothing hangs after it', async () => {
  process.kill(postgres.pid, 'SIGSTOP');
  const backends = await stopBackends(postgres.pid);
  try {
    // A machine that stalls may make one of them late, but not all.
    const took: number[] = [];
    while (took.length < 3 && !took.some((ms) => ms < 10_000)) {
      const startedAt = performance.now();
      const answer = await send(url, usage({ id: 'z' }));
      took.push(performance.now() - startedAt);
      expect([answer.status, answer.body.outcome]).toEqual([503, 'unknown']);
    }
    expect(Math.min(...took)).toBeLessThan(10_000);
  } finally {
    for (const pid of [...backends, postgres.pid]) process.kill(pid, 'SIGCONT');
  }
  await eventually(async () => (await send(url, usage({ id: 'z' }))).status === 202, 60_000);
});

/** Stops the postmaster's children too: one stopped postmaster lets its sessions work on. */
const stopBackends = async (postmaster: number): Promise<readonly number[]> => {
  const { readFile } = await import('node:fs/promises');
  const children = (await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8'))
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  for (const pid of children) process.kill(pid, 'SIGSTOP');
  return children;
};
