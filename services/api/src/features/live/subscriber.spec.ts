import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { LiveEvent } from '../../domain/sse.js';
import { Subscriber } from './subscriber.js';

const CURSOR = { partition: 3, balances: 7, alerts: 5 };
const EVENT: LiveEvent = { topic: 'alerts', scope: 'team:ml', data: { text: 'x'.repeat(100_000) } };

const opened = () => {
  const out = new PassThrough();
  return { out, subscriber: new Subscriber(out, { topics: new Set(['alerts']), scope: null }) };
};

test('who does not read is let go after a megabyte, and comes back to where it was', () => {
  const { out, subscriber } = opened();
  for (let n = 0; n < 10; n += 1) subscriber.send([EVENT], CURSOR);
  expect(out.destroyed).toBe(false);
  for (let n = 0; n < 2; n += 1) subscriber.send([EVENT], CURSOR);
  expect(out.destroyed).toBe(true);
  subscriber.send([EVENT], CURSOR);
  subscriber.beat(CURSOR);
});

test('who reads may get any number of megabytes', async () => {
  const { out, subscriber } = opened();
  out.resume();
  for (let n = 0; n < 50; n += 1) {
    subscriber.send([EVENT], CURSOR);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(out.destroyed).toBe(false);
});

test('a heartbeat is no event, and moves the place that the client comes back with', () => {
  const { out, subscriber } = opened();
  subscriber.beat(CURSOR);
  expect(out.read().toString()).toMatch(/^: .*\nid: \S+\n\n$/);
});
