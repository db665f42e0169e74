import { expect, test } from '@jest/globals';
import { unsafeSettings } from './unsafe-settings.js';

const SAFE = [
  ['fsync', 'on'],
  ['full_page_writes', 'on'],
  ['synchronous_commit', 'on'],
  ['server_encoding', 'UTF8'],
  ['in_recovery', 'false'],
] as const;

test('a durable UTF8 primary is safe, also with stronger or local commits', () => {
  expect(unsafeSettings(new Map(SAFE))).toEqual([]);
  for (const commit of ['local', 'remote_write', 'remote_apply'])
    expect(unsafeSettings(new Map([...SAFE, ['synchronous_commit', commit]]))).toEqual([]);
});

test.each([
  ['fsync', 'off', 'fsync is off'],
  ['full_page_writes', 'off', 'full_page_writes is off'],
  ['synchronous_commit', 'off', 'synchronous_commit is off'],
  ['server_encoding', 'SQL_ASCII', 'not UTF8'],
  ['in_recovery', 'true', 'standby'],
])('%s = %s is refused and named', (name, setting, reason) => {
  expect(unsafeSettings(new Map([...SAFE, [name, setting]]))).toEqual([expect.stringContaining(reason)]);
});
