import type { StoredChannel } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { LentChannels } from './lent-channels.js';

const own = (type: StoredChannel['type']): StoredChannel => ({ channelId: type, type, name: type });
const types = (channels: readonly StoredChannel[]): readonly string[] => channels.map(({ type }) => type);

test('a tenant without a channel of a type is lent the installation’s', () => {
  const lent = new LentChannels(true);
  expect(types(lent.of([], { adminContact: 'admin@example.com' }))).toEqual(['slack', 'email']);
  expect(types(lent.of([own('slack')], { adminContact: 'admin@example.com' }))).toEqual(['email']);
  expect(lent.of([own('slack'), own('email')], { adminContact: 'admin@example.com' })).toEqual([]);
});

test('where there is none to lend there is none', () => {
  expect(new LentChannels(false).of([], { adminContact: null })).toEqual([]);
  // A telephone number, or somebody who tries for a header.
  for (const adminContact of ['+31 20 123', 'a@b.example\r\nBcc: all@b.example'])
    expect(new LentChannels(false).of([], { adminContact })).toEqual([]);
});

test('is found by its id, as it is now', () => {
  const lent = new LentChannels(true);
  const [, email] = lent.of([], { adminContact: 'old@example.com' });
  expect(lent.find(email?.channelId ?? '', { adminContact: 'new@example.com' })?.to).toEqual(['new@example.com']);
  expect(lent.find(email?.channelId ?? '', { adminContact: null })).toBeNull();
  expect(lent.find('unconfigured:email', { adminContact: 'new@example.com' })).toBeNull();
});
