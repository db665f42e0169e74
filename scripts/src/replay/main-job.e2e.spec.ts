import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, isAlive, until } from '@bursar/embedded';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { cleanEnvironment, pidOf, readRun, runCommand, up } from '../up/support/run-up.ts';
import type { Node } from './tree.ts';

jest.setTimeout(240_000);

const scripts = join(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'bursar-main-job-'));
const dataDir = join(work, 'data');
const environment = { ...cleanEnvironment(), MAX_EVENT_AGE: '2000d' };

beforeAll(async () => {
  const { code, err } = await up(['--detach', '--data', dataDir, '--port', String(await freePort())], environment);
  if (code !== 0) throw new Error(`scripts/up failed: ${err}`);
});
afterAll(async () => {
  await up(['--down', '--data', dataDir], environment);
  rmSync(work, { recursive: true, force: true });
});

const replay = async (file: string, ...more: string[]): Promise<{ tree: Node; err: string }> => {
  const command = [join(scripts, 'src', 'replay-trace.ts'), join(scripts, 'data', file), '--data', dataDir, '--json', ...more];
  const { code, out, err } = await runCommand(process.execPath, command, environment);
  if (code !== 0) throw new Error(`replay-trace ${file}: ${err}`);
  return { tree: JSON.parse(out) as Node, err };
};

const usd = (node: Node | undefined): string =>
  node?.spend.map(({ amount, currency }) => `${amount} ${currency}`).join() ?? 'no such scope';
const organisations = (tree: Node): readonly Node[] => tree.children.filter(({ scope }) => scope.startsWith('organization:'));
/** Exact sum in 10^-12: the figures of a tree are compared as integers, never as floats. */
const picos = (amount: string): bigint => {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(12, '0'));
};
const total = (nodes: readonly Node[]): bigint => nodes.reduce((sum, node) => sum + picos(node.spend[0]?.amount ?? '0'), 0n);

/** SIGKILLs the process that bears the name now, and waits until another bears it. */
const killAndAwait = async (name: string): Promise<void> => {
  const pid = pidOf(dataDir, name);
  process.kill(pid, 'SIGKILL');
  expect(await until(() => !isAlive(pid) && pidOf(dataDir, name) !== pid, 60_000)).toBe(true);
};

describe('the main job on real input', () => {
  test('an hour of a code-completion service comes to exactly 47.608895 USD though every process is killed while it runs', async () => {
    const running = replay('azure-llm-2023-code.csv.gz', '--tenant', 'code', '--rate', '700');
    for (const name of ['ingestion', 'budget-projector', 'api', 'nats', 'postgres', 'budget-projector']) await killAndAwait(name);
    const { tree } = await running;
    expect(usd(tree)).toBe('47.608895 USD');
    expect(total(organisations(tree))).toBe(picos('47.608895'));
  });

  test('replayed in another order every event is a duplicate and no figure changes', async () => {
    const { tree, err } = await replay('azure-llm-2023-code.csv.gz', '--tenant', 'code', '--shuffle', '42', '--batch', '333');
    expect(err).toMatch(/accepted 0, duplicate 8819, rejected 0/);
    expect(usd(tree)).toBe('47.608895 USD');
  });

  test('an hour of a conversation service comes to exactly 5.8074795 USD, shuffled as it goes in', async () => {
    const { tree } = await replay('azure-llm-2023-conv.csv.gz', '--tenant', 'conv', '--shuffle', '7', '--batch', '500');
    expect(total(organisations(tree))).toBe(picos('5.8074795'));
    for (const organisation of organisations(tree)) expect(total(organisation.children)).toBe(total([organisation]));
  });

  test('IN-D15 a budget made afterwards counts what already happened in its period', async () => {
    const { apiUrl, adminApiKey } = readRun(dataDir);
    const headers = { authorization: `Bearer ${adminApiKey}`, 'bursar-tenant': 'code', 'content-type': 'application/json' };
    const period = { kind: 'custom', timezone: 'UTC', start: '2023-11-01T00:00:00Z', end: '2023-12-01T00:00:00Z' };
    const body = { name: 'org-a in November', scope: 'organization:org-a', limit: { amount: '40', currency: 'USD' }, period };
    const created = await fetch(`${apiUrl}/api/v1/budgets`, { method: 'POST', headers, body: JSON.stringify(body) });
    const { id } = (await created.json()) as { id: string };
    const status = async () =>
      (await (await fetch(`${apiUrl}/api/v1/budgets/${id}/status`, { headers })).json()) as Record<string, unknown>;
    // A problem's status is a number.
    expect(await until(async () => !['counting', 503].includes((await status()).status as string | number), 120_000)).toBe(true);
    const { tree } = await replay('azure-llm-2023-code.csv.gz', '--tenant', 'code');
    expect(await status()).toMatchObject({ currentSpend: organisations(tree)[0]?.spend[0]?.amount, status: 'warning' });
  });
});
