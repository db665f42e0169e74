import type { LedgerEvent, Price } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { decidePriceList, PRICES_PER_EVENT } from './price-list.js';
import { evolveTenantSettings, TenantSettings } from './tenant-settings.js';

const price = (index: number): Price => ({
  meter: 'llm.tokens',
  match: { model: `m-${index}` },
  unit: 'inputTokens',
  amount: '0.000000000000000000000001',
  per: 1,
});
const list = (count: number) => ({
  listId: 'l1',
  name: 'x',
  currency: 'USD',
  effectiveFrom: '2026-01-01T00:00:00Z',
  prices: Array.from({ length: count }, (_, index) => price(index)),
});
const record = (event: ReturnType<typeof decidePriceList>[number], index: number): LedgerEvent =>
  ({
    ...event,
    partition: 0,
    position: index + 1,
    stream: 'tenant-acme',
    revision: index,
    id: String(index),
    recordedAt: '2026-01-01T00:00:00.000000Z',
    meta: { tenant: 'acme' },
  }) as LedgerEvent;

test.each([
  [0, [0]],
  [1, [1]],
  [PRICES_PER_EVENT, [500]],
  [PRICES_PER_EVENT + 1, [500, 1]],
  [2_310, [500, 500, 500, 500, 310]],
])('%i prices become events of %j', (count, sizes) => {
  expect(decidePriceList(list(count)).map((event) => event.data.prices.length)).toEqual(sizes);
});

test('folding a split list gives it back whole and in order', () => {
  const settings = new TenantSettings();
  decidePriceList(list(1_234))
    .map(record)
    .forEach((event) => {
      evolveTenantSettings(settings, event);
    });
  expect(settings.priceLists.get('l1')).toMatchObject({ ...list(1_234), from: null, position: 1 });
});
