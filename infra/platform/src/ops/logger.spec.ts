import { expect, test } from '@jest/globals';
import { scrub } from './logger.js';

test.each([
  ['connect ECONNREFUSED postgres://bursar:hunter2@db:5432/x', 'connect ECONNREFUSED postgres://***@db:5432/x'],
  ['nats://admin:pw@127.0.0.1:4222', 'nats://***@127.0.0.1:4222'],
  ['header Authorization: Bearer abc.def', 'header Authorization: Bearer ***'],
  ['key bsr_live_k1_ABCDEF was refused', 'key bsr_*** was refused'],
])('no secret in a log: %s', (text, clean) => expect(scrub(text)).toBe(clean));
