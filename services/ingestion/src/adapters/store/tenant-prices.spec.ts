import type { StoredEvent } from '@bursar/event-store';
import { expect, test } from '@jest/globals';
import { TenantPrices } from './tenant-prices.js';

/** Streams in memory, and how many reads they answered. */
const scripted = () => {
  const streams = new Map<string, StoredEvent[]>();
  const reads: string[] = [];
  const store = {
    revisions: async (names: readonly string[]) => names.map((name) => (streams.get(name)?.length ?? 0) - 1),
    readStream: async (name: string, from: number) => {
      reads.push(`${name}@${from}`);
      return (streams.get(name) ?? []).slice(from, from + 2); // pages of two, so that reading on is exercised
    },
  };
  const post = (tenant: string): void => {
    const stream = `tenant-${tenant}`;
    const events = streams.get(stream) ?? [];
    const data = {
      listId: `l${events.length}`,
      name: 'n',
      currency: 'USD',
      effectiveFrom: '1970-01-01T00:00:00Z',
      prices: [price(events.length)],
    };
    const place = { partition: 0, position: events.length + 1, stream, revision: events.length, id: `e${events.length}` };
    const texts = { data: JSON.stringify(data), meta: JSON.stringify({ tenant }), contentHash: new Uint8Array(32) };
    streams.set(stream, [...events, { ...place, ...texts, type: 'PriceListCreated', version: 1, recordedAt: '2025-01-01T00:00:00Z' }]);
  };
  return { post, reads, store };
};
const price = (n: number) => ({ meter: 'm', match: {}, unit: `u${n}`, amount: '1', per: 1 });
const usage = { unit: 'u', meter: 'm', dimensions: {}, quantities: new Map(), occurredAt: 1n, position: Number.POSITIVE_INFINITY };
const known = async (prices: TenantPrices, tenant: string): Promise<number> => {
  const definitions = await prices.of(tenant);
  return [0, 1, 2, 3, 4, 5].filter((n) => definitions.prices.find(`u${n}`, usage) !== undefined).length;
};

test('reads what is new, and only that', async () => {
  const { post, reads, store } = scripted();
  const prices = new TenantPrices(store);
  expect([await known(prices, 'a'), reads.length]).toEqual([0, 0]);
  for (let n = 0; n < 3; n += 1) post('a');
  expect(await known(prices, 'a')).toBe(3);
  expect(await known(prices, 'a')).toBe(3);
  post('a');
  expect(await known(prices, 'a')).toBe(4);
  expect(reads).toEqual(['tenant-a@0', 'tenant-a@2', 'tenant-a@3']);
});

test('whoever asks while a list is being read waits for all of it', async () => {
  const { post, reads, store } = scripted();
  for (let n = 0; n < 5; n += 1) post('a');
  const prices = new TenantPrices(store);
  expect(await Promise.all([known(prices, 'a'), known(prices, 'a'), known(prices, 'a')])).toEqual([5, 5, 5]);
  expect(reads).toHaveLength(3);
});

test('lets go of the tenant that was asked for longest ago, and knows it again when asked', async () => {
  const { post, reads, store } = scripted();
  for (const tenant of ['a', 'b', 'c']) post(tenant);
  const prices = new TenantPrices(store, { tenants: 2, textBytes: 1_000_000 });
  for (const tenant of ['a', 'b', 'a', 'c', 'a']) expect(await known(prices, tenant)).toBe(1);
  expect(reads).toEqual(['tenant-a@0', 'tenant-b@0', 'tenant-c@0']);
  expect(await known(prices, 'b')).toBe(1);
  expect(reads.at(-1)).toBe('tenant-b@0');
});

test('is bounded by the size of the lists, not by their number alone', async () => {
  const { post, reads, store } = scripted();
  for (const tenant of ['a', 'b']) post(tenant);
  const prices = new TenantPrices(store, { tenants: 100, textBytes: 200 });
  for (const tenant of ['a', 'b', 'a']) expect(await known(prices, tenant)).toBe(1);
  expect(reads.filter((read) => read.startsWith('tenant-a'))).toHaveLength(2);
});
