import type { StoredEvent } from '@bursar/event-store';
import { describe, expect, test } from '@jest/globals';
import { fromBatch, fromCloudEvent } from '../cloud-event.js';
import { toRangeMessage } from '../range-message.js';
import { fanOutMessages } from './fan-out-messages.js';

const event = (position: number, more: Partial<StoredEvent> = {}): StoredEvent => ({
  partition: 0,
  position,
  stream: 'usage-acme',
  revision: position - 1,
  id: `00000000-0000-8000-8000-${String(position).padStart(12, '0')}`,
  type: 'UsageRecorded',
  version: 1,
  data: '{"id":"a"}',
  meta: '{"tenant":"acme"}',
  contentHash: Buffer.alloc(32),
  recordedAt: '2025-01-15T10:00:00.000001Z',
  ...more,
});

const other = { stream: 'usage-globex', meta: '{"tenant":"globex"}' };

describe('what the world hears', () => {
  test('usage in one batch per tenant, in order, whole', () => {
    const events = [event(1), event(2, other), event(3), event(4, other)];
    const messages = fanOutMessages(events);
    expect(messages.map(({ subject }) => subject)).toEqual(['events.acme.UsageRecorded', 'events.globex.UsageRecorded']);
    expect(messages.map(({ headers }) => headers.get('Nats-Msg-Id'))).toEqual(['events/0/acme/1-3', 'events/0/globex/2-4']);
    expect(messages.map(({ body }) => fromBatch(Buffer.from(body).toString()))).toEqual([
      [events[0], events[2]],
      [events[1], events[3]],
    ]);
  });

  test('what has sealed secrets in it stays inside', () => {
    expect(fanOutMessages([event(1, { type: 'ChannelSaved', stream: 'tenant-acme' })])).toEqual([]);
  });

  test('the same of a range that this process has announced, without encoding it again', () => {
    const events = [event(1), event(2), event(3)];
    const [before] = fanOutMessages(events);
    const range = toRangeMessage({ partition: 0, first: 1, last: 3, link: Buffer.alloc(32), events });
    const [after] = fanOutMessages(events);
    expect(after?.body).toBe(range.body);
    expect(Buffer.from(after?.body ?? [])).toEqual(before?.body);
    expect([...(after?.headers ?? [])]).toEqual([...(before?.headers ?? [])]);
    const mixed = [...events, event(4, other)];
    toRangeMessage({ partition: 0, first: 1, last: 4, link: Buffer.alloc(32), events: mixed });
    expect(fanOutMessages(mixed).length).toBe(2);
    expect(fanOutMessages(events.slice(0, 2)).map(({ body }) => fromBatch(Buffer.from(body).toString()).length)).toEqual([2]);
  });

  test('anything else alone, under its own id', () => {
    const created = event(1, { type: 'BudgetCreated', stream: 'budget-acme.b1' });
    const [message] = fanOutMessages([created]);
    expect(message?.subject).toBe('events.acme.BudgetCreated');
    expect(message?.headers.get('Nats-Msg-Id')).toBe(created.id);
    expect(fromCloudEvent(Buffer.from(message?.body ?? []).toString())).toEqual(created);
  });

  test('no batch over 500 events or 512 KB, and nothing lost between two', () => {
    const many = Array.from({ length: 1_200 }, (_, index) => event(index + 1));
    expect(fanOutMessages(many).map(({ body }) => fromBatch(Buffer.from(body).toString()).length)).toEqual([500, 500, 200]);
    const large = Array.from({ length: 5 }, (_, index) => event(index + 1, { data: `"${'x'.repeat(200_000)}"` }));
    expect(fanOutMessages(large).map(({ body }) => fromBatch(Buffer.from(body).toString()).length)).toEqual([2, 2, 1]);
  });

  test.each([
    ['events of no tenant', { stream: 'holds-0', type: 'PartitionTaken' }],
    ['IN-C11: a tenant that would be a wildcard', { meta: '{"tenant":"*"}' }],
    ['IN-C11: a tenant that would be two tokens', { meta: '{"tenant":"a.b"}' }],
    ['IN-C11: a tenant with a space', { meta: '{"tenant":"a b"}' }],
    ['a tenant that is none', { meta: '{}' }],
  ])('never %s', (_, more) => {
    expect(fanOutMessages([event(1, more)])).toEqual([]);
  });
});
