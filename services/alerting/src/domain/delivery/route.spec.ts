import type { StoredChannel } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { routeAlert } from './route.js';

const channel = (name: string, type: StoredChannel['type'], more: Partial<StoredChannel> = {}): StoredChannel => ({
  channelId: `id-${name}`,
  type,
  name,
  ...more,
});
const HOOK = channel('ops', 'webhook');
const MAIL = channel('mail', 'email');
const CRITICAL = channel('pager', 'webhook', { minSeverity: 'critical' });
const CROSSINGS = channel('log', 'file', { events: ['threshold.crossed'] });
const ALL = [HOOK, MAIL, CRITICAL, CROSSINGS];
const NO_PREFERENCES = { defaultChannels: [], profile: 'default' } as const;

test.each([
  ['every channel of the tenant that wants it', undefined, [], ['ops', 'mail', 'log']],
  ['what the threshold chose, by name', ['mail'], [], ['mail']],
  ['what the threshold chose, by type', ['webhook'], [], ['ops']],
  ['by name and type, each once', ['ops', 'webhook'], [], ['ops']],
  ['the tenant’s default channels', undefined, ['mail'], ['mail']],
  ['the threshold before the defaults', ['ops'], ['mail'], ['ops']],
  ['nobody', [], ['mail'], []],
  ['a type that nobody set up', ['slack', 'mail'], [], ['mail', 'slack']],
  ['a name that is gone or mistyped', ['old', 'mail', 'old'], [], ['mail', 'old']],
  ['a default channel that is gone', undefined, ['old'], ['old']],
])('%s', (_, channels, defaults, expected) => {
  const routes = routeAlert({ event: 'threshold.crossed', severity: 'warning', channels }, ALL, {
    defaultChannels: defaults,
    profile: 'default',
  });
  expect(routes.map(({ name }) => name)).toEqual(expected);
});

test('D4: what nobody set up is a route of its own, that nothing is sent to', () => {
  const alert = { event: 'threshold.crossed', severity: 'warning', channels: ['slack', 'old'] } as const;
  expect(routeAlert({ ...alert, channels: [...alert.channels] }, ALL, NO_PREFERENCES)).toEqual([
    { channelId: 'unconfigured:slack', type: 'slack', name: 'slack' },
    { channelId: 'unconfigured:old', type: 'unknown', name: 'old' },
  ]);
});

test('severity and events are the channel’s to choose', () => {
  const names = (event: string, severity: 'info' | 'critical') =>
    routeAlert({ event, severity, channels: undefined }, ALL, NO_PREFERENCES).map(({ name }) => name);
  expect(names('threshold.crossed', 'critical')).toEqual(['ops', 'mail', 'pager', 'log']);
  expect(names('budget.paused', 'info')).toEqual(['ops', 'mail']);
});

test('D7: who chose no events hears of a boundary once; who chose them hears what was chosen; the tenant profile says the reset, too', () => {
  const BEGINNINGS = channel('begin', 'webhook', { events: ['period.started'] });
  const names = (event: string, profile: 'default' | 'tenant') =>
    routeAlert({ event, severity: 'info', channels: undefined }, [HOOK, MAIL, BEGINNINGS], { ...NO_PREFERENCES, profile }).map(
      ({ name }) => name,
    );
  expect(names('period.ended', 'default')).toEqual(['ops', 'mail']);
  expect(names('period.started', 'default')).toEqual(['begin']);
  expect(names('period.started', 'tenant')).toEqual(['ops', 'mail', 'begin']);
});
