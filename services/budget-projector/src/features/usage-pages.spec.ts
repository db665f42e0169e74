import { expect, test } from '@jest/globals';
import type { LedgerItem } from './ledger.js';
import { usagePages } from './usage-pages.js';

test('a page that ends early, as the store ends one of large events, is not the end', async () => {
  const stream = Array.from({ length: 2_500 }, (_, index): LedgerItem => ({ unreadable: '', position: 10 + index, tenant: 't' }));
  const sizes = [1_000, 1, 700];
  const usage = async (_tenant: string, from: number, limit: number) => stream.slice(from, from + Math.min(limit, sizes.shift() ?? limit));
  const read: LedgerItem[] = [];
  for await (const page of usagePages({ usage }, 't')) read.push(...page);
  expect(read).toEqual(stream);
});
