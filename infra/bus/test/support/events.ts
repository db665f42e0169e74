import { hash, randomUUID } from 'node:crypto';
import type { AppendRequest, EventToAppend } from '@bursar/event-store';

/** Usage that is valid but for its meaning; `n` tells events apart. */
export const usage = (n: number, tenant = 'acme'): EventToAppend => {
  const data = JSON.stringify({
    id: `call-${n}`,
    source: 'test',
    occurredAt: '2025-01-15T10:00:00Z',
    scopes: ['user:maría'],
    cost: { amount: '0.0125', currency: 'USD' },
    status: 'succeeded',
    metadata: { note: 'a "quoted" note, ","data":{}', n },
  });
  return {
    id: randomUUID(),
    type: 'UsageRecorded',
    version: 1,
    data,
    meta: JSON.stringify({ tenant, via: 'test' }),
    contentHash: hash('sha256', data, 'buffer'),
  };
};

export const usages = (from: number, count: number, tenant = 'acme'): readonly EventToAppend[] =>
  Array.from({ length: count }, (_, index) => usage(from + index, tenant));

export const appendOf = (partition: number, events: readonly EventToAppend[], tenant = 'acme'): AppendRequest => ({
  partition,
  stream: `usage-${tenant}`,
  events,
  expectedRevision: 'any',
});

/** Polls until the condition holds; throws with its last value's description after `ms`. */
export const eventually = async (what: string, condition: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> => {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`in ${ms} ms it did not happen that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
