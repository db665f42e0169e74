import { ConfigError, loadConfig } from '@bursar/platform';
import { expect, test } from '@jest/globals';
import { IngestionEnv } from './config.js';

const env = { BURSAR_ADMIN_KEY: 'x'.repeat(32), EVENT_STORE_URL: 'postgres://store', DATABASE_URL: 'postgres://database' };

test.each([
  [undefined, 35 * 86_400],
  ['35d', 35 * 86_400],
  ['2000d', 2_000 * 86_400],
  ['12h', 43_200],
  ['2w', 1_209_600],
  ['30m', 1_800],
])('MAX_EVENT_AGE=%s', (MAX_EVENT_AGE, seconds) => expect(loadConfig(IngestionEnv, { ...env, MAX_EVENT_AGE }).MAX_EVENT_AGE).toBe(seconds));

test.each(['foo://x', 'x', 'http://localhost/postgres', 'postgres://'])('%s is no address of PostgreSQL', (url) => {
  expect(() => loadConfig(IngestionEnv, { ...env, EVENT_STORE_URL: url })).toThrow(/EVENT_STORE_URL: expected postgresql:/);
  expect(() => loadConfig(IngestionEnv, { ...env, DATABASE_URL: url })).toThrow(/DATABASE_URL/);
});

test.each(['35', 'd', '-1d', '0d', '1.5d', 'P1M', '35 days'])('MAX_EVENT_AGE=%s is refused by name', (MAX_EVENT_AGE) => {
  expect(() => loadConfig(IngestionEnv, { ...env, MAX_EVENT_AGE })).toThrow(ConfigError);
  expect(() => loadConfig(IngestionEnv, { ...env, MAX_EVENT_AGE })).toThrow(/MAX_EVENT_AGE/);
});
