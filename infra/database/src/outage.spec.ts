import { expect, test } from '@jest/globals';
import { isOutage } from './outage.js';

const withCode = (code: string): Error => Object.assign(new Error('of the driver'), { code });

test.each(['08006', '53300', '57P01', '57P03', '57014', '58030', '25P03', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])(
  '%s is an outage',
  (code) => expect(isOutage(withCode(code))).toBe(true),
);
test.each([
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
])('%s is an outage', (message) => expect(isOutage(new Error(message))).toBe(true));
test.each([
  withCode('23505'),
  withCode('22021'),
  withCode('42P01'),
  withCode('ERR_INVALID_ARG_TYPE'),
  new TypeError('x is not a function'),
  'text',
  null,
])('%s is none', (error) => expect(isOutage(error)).toBe(false));
