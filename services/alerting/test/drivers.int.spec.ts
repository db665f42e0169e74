import type { AlertRaisedData } from '@bursar/contracts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SqlDrivers } from '../src/adapters/sql/sql-drivers.js';
import { startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld(false);
});
afterAll(() => world?.stop());

const alert = (details: Partial<AlertRaisedData['details']> = {}): AlertRaisedData =>
  ({
    scope: 'team:ml',
    details: { periodStart: '2026-11-01T00:00:00Z', periodEnd: '2026-12-01T00:00:00Z', currency: 'EUR', ...details },
  }) as AlertRaisedData;

const spent = (model: string | null, spend: string, bucket = '2026-11-05T00:00:00Z', currency = 'EUR') => ({
  tenant: 'acme',
  scope: 'team:ml',
  bucket,
  key: JSON.stringify({ currency, model }),
  currency,
  spend,
  events: 1,
  unpriced: 0,
  input_tokens: '0',
  output_tokens: '0',
});

test('PRODUCT D6: the top drivers are the models that spent most of the scope in that period', async () => {
  const drivers = new SqlDrivers(world.db, (error) => {
    throw error;
  });
  const rows = [
    spent('gpt-4o', '400'),
    spent('gpt-4o', '100', '2026-11-06T00:00:00Z'),
    spent('claude', '200'),
    spent('mini', '0.125'),
    spent(null, '299.875'),
    spent('early', '900', '2026-10-31T23:45:00Z'),
    spent('dollars', '900', '2026-11-05T00:00:00Z', 'USD'),
    spent('free', '0'),
  ];
  await world.db.insertInto('projection.rollup').values(rows).execute();
  expect(await drivers.of('acme', alert())).toEqual([
    { name: 'gpt-4o', amount: '500.000000000000', percent: '50' },
    { name: 'claude', amount: '200.000000000000', percent: '20' },
    { name: 'mini', amount: '0.125000000000', percent: '0' },
  ]);
  expect(await drivers.of('globex', alert())).toEqual([]);
  expect(await drivers.of('acme', alert({ periodStart: null }))).toEqual([]);
});
