import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectExactBalances, untilCaughtUp } from './support/exact.js';
import { eventually, ledgerOf, publish, type Real, real } from './support/real.js';
import { steps } from './support/stories.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const KEY = 'bsr_test_0123456789abcdef';
type Projector = Readonly<{ process: ChildProcess; url: string; lines: string[] }>;

let at: Real;
const children = new Set<ChildProcess>();
beforeAll(async () => {
  at = await real();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await at.close();
});

/** The service as `up` runs it, without a bus. Resolves once it listens. */
const start = async (): Promise<Projector> => {
  const env = { ...process.env, DATABASE_URL: at.url, EVENT_STORE_URL: at.url, PARTITIONS: '1', BURSAR_ADMIN_KEY: KEY, PORT: '0' };
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  const lines: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n')));
  const listening = await eventually(
    () => lines.find((line) => line.includes('"listening"')),
    (line) => line !== undefined,
  );
  return { process: child, url: (JSON.parse(listening ?? '{}') as { url: string }).url, lines };
};

const status = async (url: string, path: string, init?: RequestInit): Promise<number> => (await fetch(`${url}${path}`, init)).status;

test('killing either of two projectors at any moment changes no figure', async () => {
  let [one, two] = [await start(), await start()];
  const published = publish(at.store, steps(7, 400));
  for (let kill = 0; kill < 4; kill += 1) {
    const head = (await ledgerOf(at.store)).length;
    const victim = kill % 2 === 0 ? one : two;
    victim.process.kill('SIGKILL');
    await once(victim.process, 'exit');
    const heir = await start();
    [one, two] = kill % 2 === 0 ? [heir, two] : [one, heir];
    // Someone goes on, or there is nothing left to fold.
    await eventually(
      () => at.db.selectFrom('projection.checkpoint').select('position').where('projection', '=', 'budget').execute(),
      ([row]) => (row?.position ?? 0) >= head,
    );
  }
  await published;
  await untilCaughtUp(at);
  await expectExactBalances(at);
  one.process.kill('SIGTERM');
  two.process.kill('SIGTERM');
  const codes = await Promise.all([once(one.process, 'exit'), once(two.process, 'exit')]);
  expect(codes.map(([code]) => code)).toEqual([0, 0]);
}, 120_000);

test('is ready once it owns its share, asks for a key, and answers 501 where enforcement is not built', async () => {
  const { process: child, url } = await start();
  await eventually(
    () => status(url, '/readyz'),
    (code) => code === 200,
  );
  const body = JSON.stringify({ scopes: ['team:ml'], amount: '1' });
  const headers = { 'content-type': 'application/json' };
  expect(await status(url, '/api/v1/check', { method: 'POST', headers, body })).toBe(401);
  const authorized = { ...headers, authorization: `Bearer ${KEY}` };
  expect(await status(url, '/api/v1/check', { method: 'POST', headers: authorized, body })).toBe(501);
  expect(await status(url, '/api/v1/check', { method: 'POST', headers: authorized, body: '{"scopes":[]}' })).toBe(400);
  child.kill('SIGTERM');
  await once(child, 'exit');
});
