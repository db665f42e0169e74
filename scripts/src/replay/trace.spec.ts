import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { shuffled } from './shuffle.ts';
import { readTrace } from './trace.ts';

const data = join(import.meta.dirname, '../../data');
const total = (rows: readonly { quantities?: Readonly<Record<string, string>> }[], unit: string): bigint =>
  rows.reduce((sum, row) => sum + BigInt(row.quantities?.[unit] ?? '0'), 0n);

describe('sample traces', () => {
  test.each([
    ['azure-llm-2023-code.csv.gz', 8819, 18_059_974n, 245_896n],
    ['azure-llm-2023-conv.csv.gz', 19_366, 22_361_870n, 4_088_665n],
    ['burstgpt-3-slice.csv', 188, 147_819n, 34_669n],
    ['mooncake-conversation.csv.gz', 12_031, 144_793_823n, 4_122_048n],
  ] as const)('%s is read whole: rows and tokens equal the control totals of its source', async (file, rows, input, output) => {
    const trace = await readTrace(join(data, file));
    expect([trace.rows.length, total(trace.rows, 'inputTokens'), total(trace.rows, 'outputTokens')]).toEqual([rows, input, output]);
  });

  test('servegen clients are projects, and its deepseek hours add up to the control totals', async () => {
    const { rows } = await readTrace(join(data, 'servegen-client-hourly.csv.gz'));
    const deepseek = rows.filter((row) => row.dimensions.model === 'deepseek/deepseek-r1');
    expect([rows.length, total(deepseek, 'inputTokens'), total(deepseek, 'outputTokens')]).toEqual([6330, 1_754_837_741n, 2_113_442_998n]);
    expect(new Set(deepseek.flatMap((row) => row.scopes)).size).toBe(73);
  });

  test('focus bills carry rated amounts that sum to the control total, credits included', async () => {
    const { rows } = await readTrace(join(data, 'focus-1.0-sample.csv.gz'));
    const e11 = (amount: string): bigint => {
      const [whole = '0', fraction = ''] = amount.replace('-', '').split('.');
      return BigInt(whole + fraction.padEnd(11, '0')) * (amount.startsWith('-') ? -1n : 1n);
    };
    expect(rows.reduce((sum, row) => sum + e11(row.cost?.amount ?? '0'), 0n)).toBe(2_052_022_672_899n);
  });

  test('a row always belongs to the same user, project, team and organisation', async () => {
    const { rows } = await readTrace(join(data, 'azure-llm-2023-code.csv.gz'));
    // FNV-1a of "1" is 873244444, mod 100 is 44: the second heavy user, an even project of team 1.
    expect(rows[0]?.scopes).toEqual(['user:user-01', 'project:proj-2']);
    expect(rows[0]?.parents).toMatchObject({ 'user:user-01': ['team:team-1'], 'team:team-1': ['organization:org-a'] });
    expect(new Set(rows.map((row) => row.scopes[0])).size).toBe(20);
  });

  test('a file of other columns is refused by name', async () => {
    await expect(readTrace(join(data, '../package.json'))).rejects.toThrow(/not a trace/);
  });
});

test('shuffling keeps every row and depends on the seed alone', () => {
  const items = Array.from({ length: 100 }, (_, index) => index);
  expect(shuffled(items, 7)).toEqual(shuffled(items, 7));
  expect(shuffled(items, 7)).not.toEqual(shuffled(items, 8));
  expect([...shuffled(items, 7)].sort((a, b) => a - b)).toEqual(items);
});
