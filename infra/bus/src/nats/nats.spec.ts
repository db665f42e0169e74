import { describe, expect, test } from '@jest/globals';
import { connectionOptions } from './options.js';
import { DEFAULT_STREAM_LIMITS, driftOf, wantedStreams } from './streams.js';
import { isAtLeast } from './version.js';

describe('the server’s version', () => {
  test.each([
    ['2.12.0', true],
    ['2.12.0-RC.1', true],
    ['2.15.1', true],
    ['3.0.0', true],
    ['v2.12.1', true],
    ['2.11.99', false],
    ['2.9.10', false],
    ['1.99.99', false],
    ['0.0.0', false],
    ['unknown', false],
  ])('%s against 2.12.0: %s', (version, enough) => expect(isAtLeast(version, '2.12.0')).toBe(enough));
});

describe('the URL', () => {
  test('gives up its credentials, decoded', () => {
    expect(connectionOptions('nats://us%40er:p%3Aw@host:4333', 'x')).toMatchObject({ servers: ['host:4333'], user: 'us@er', pass: 'p:w' });
  });

  test('may name several servers, or carry a token', () => {
    expect(connectionOptions('nats://token@a:1, nats://b:2', 'x')).toMatchObject({ servers: ['a:1', 'b:2'], token: 'token' });
  });

  test('IN-E16: tls:// leaves no way to plain text', () => {
    expect(connectionOptions('tls://host:4222', 'x').tls).toEqual({});
    expect(connectionOptions('nats://host:4222', 'x').tls).toBeUndefined();
  });

  test('that is none is refused at once', () => {
    expect(() => connectionOptions('not a url', 'x')).toThrow('Invalid URL');
  });
});

describe('IN-E12: a stream that is not what it must be', () => {
  const [ledger] = wantedStreams(DEFAULT_STREAM_LIMITS);
  if (ledger === undefined) throw new Error('no streams');
  const { disposable, ...config } = ledger;

  test('is no drift when it is', () => {
    expect(driftOf(ledger, { ...config, max_consumers: -1, sealed: false, sources: [] })).toEqual([]);
  });

  test.each([
    ['subjects', { subjects: ['ledger.>'] }],
    ['retention', { retention: 'workqueue' as const }],
    ['max_age', { max_age: 1 }],
    ['max_msgs', { max_msgs: 10 }],
    ['max_msgs_per_subject', { max_msgs_per_subject: 1 }],
    ['discard', { discard: 'new' as const }],
    ['subject_transform', { subject_transform: { src: 'ledger.*', dest: 'x' } }],
    ['sources', { sources: [{ name: 'OTHER' }] }],
    ['sealed', { sealed: true }],
    ['no_ack', { no_ack: true }],
  ])('shows by its %s', (name, change) => {
    expect(driftOf(ledger, { ...config, ...change })).toEqual([name]);
  });
});
