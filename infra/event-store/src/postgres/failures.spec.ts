import { expect, test } from '@jest/globals';
import { failureOf } from './failures.js';

const failing = (code?: string) => Object.assign(new Error('failed'), code === undefined ? {} : { code });

test('a taken position means that the head moved', () => {
  expect(failureOf(Object.assign(failing('23505'), { constraint: 'events_position' }))).toBe('head_moved');
  expect(failureOf(Object.assign(failing('23505'), { constraint: 'events_id' }))).toBe('taken');
  expect(failureOf('not even an error')).toBe('unavailable');
});

test('what was not sent, for the connection had broken before, is tried again', () => {
  expect(failureOf(new Error('Client has encountered a connection error and is not queryable'))).toBe('transient');
  expect(failureOf(new Error('Client was closed and is not queryable'))).toBe('transient');
  expect(failureOf(new Error('Connection terminated unexpectedly'))).toBe('unavailable');
});

test.each([
  ['serialization failure', '40001', 'transient'],
  ['deadlock', '40P01', 'transient'],
  ['the head moved', 'BU001', 'head_moved'],
  ['unique violation', '23505', 'taken'],
  ['lock timeout', '55P03', 'unavailable'],
  ['statement timeout', '57014', 'unavailable'],
  ['terminated by the operator', '57P01', 'unavailable'],
  ['server starting up', '57P03', 'unavailable'],
  ['idle in transaction', '25P03', 'unavailable'],
  ['read-only after a failover', '25006', 'unavailable'],
  ['disk full', '53100', 'unavailable'],
  ['too many connections', '53300', 'unavailable'],
  ['I/O error', '58030', 'unavailable'],
  ['connection failure', '08006', 'unavailable'],
  ['connection refused', 'ECONNREFUSED', 'unavailable'],
  ['connection cut', 'ECONNRESET', 'unavailable'],
  ['broken pipe', 'EPIPE', 'unavailable'],
  ['the driver’s own', undefined, 'unavailable'],
  ['invalid text', '22021', 'refused'],
  ['check violation', '23514', 'refused'],
  ['no permission', '42501', 'refused'],
])('%s means %s: %s', (_, code, failure) => {
  expect(failureOf(failing(code))).toBe(failure);
});
