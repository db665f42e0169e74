import type { StoredEvent } from '@bursar/event-store';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fanOutMessages } from './fan-out-messages.js';
import { WholeAppends } from './whole-appends.js';

/** `tenant` null: holds of the partition. */
const event = (position: number, tenant: string | null): StoredEvent => ({
  partition: 0,
  position,
  stream: tenant === null ? 'holds-0' : `usage-${tenant}`,
  revision: position - 1,
  id: `00000000-0000-8000-8000-${String(position).padStart(12, '0')}`,
  type: tenant === null ? 'HoldsChanged' : 'UsageRecorded',
  version: 1,
  data: '{"id":"a"}',
  meta: JSON.stringify(tenant === null ? {} : { tenant }),
  contentHash: Buffer.alloc(32),
  // All of one microsecond: a clock that stands still says nothing of where appends ended.
  recordedAt: '2025-01-15T10:00:00.000001Z',
});

/** Ids of what is sent when reading begins after `after` and comes in pieces of these sizes, the last one over and over; and where it may begin anew. */
const idsOf = async (events: readonly StoredEvent[], ends: readonly number[], after: number, pieces: readonly number[]) => {
  const store = { appendEnds: async (_: number, from: number, to: number) => ends.filter((end) => end > from && end <= to) };
  const whole = new WholeAppends(store, 0);
  const ids: string[] = [];
  const checkpoints: number[] = [];
  for (let from = after, nth = 0; from < events.length; nth += 1) {
    const size = pieces[Math.min(nth, pieces.length - 1)] ?? 1;
    const appends = await whole.add(events.slice(from, from + size));
    for (const append of appends) ids.push(...fanOutMessages(append).map(({ headers }) => headers.get('Nats-Msg-Id')));
    const last = appends.at(-1)?.at(-1);
    if (last !== undefined) checkpoints.push(last.position);
    from += size;
  }
  return { ids, checkpoints };
};

test('the same events are sent under the same ids, wherever reading begins and however it is cut', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
  const pieces = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10 });
  const tenants = fc.array(fc.constantFrom('acme', 'globex', null), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(), pieces, tenants, async (appends, begin, cut, whose) => {
      const ends = appends.map((_, index) => appends.slice(0, index + 1).reduce((sum, size) => sum + size, 0));
      const events = Array.from({ length: ends.at(-1) ?? 0 }, (_, index) => event(index + 1, whose[index % whose.length] ?? null));
      const { ids: all } = await idsOf(events, ends, 0, [events.length]);
      // At the end of an append, or after holds in the midst of one.
      const { checkpoints } = await idsOf(events, ends, 0, cut);
      const places = [0, ...ends, ...checkpoints];
      const after = places[begin % places.length] ?? 0;
      const { ids: rest } = await idsOf(events, ends, after, cut);
      expect(rest).toEqual(all.slice(all.length - rest.length));
      expect(all.filter((id) => Number(id.split('/')[3]?.split('-')[0]) > after)).toEqual(rest);
    }),
  );
});

test('the store is not asked where appends of nothing but holds ended', async () => {
  let asked = 0;
  const appendEnds = async (_: number, from: number, to: number): Promise<readonly number[]> => {
    asked += 1;
    return Array.from({ length: to - from }, (__, n) => from + n + 1);
  };
  const whole = new WholeAppends({ appendEnds }, 0);
  expect((await whole.add([event(1, null), event(2, null)])).flat().map(({ position }) => position)).toEqual([1, 2]);
  expect(asked).toBe(0);
  expect((await whole.add([event(3, null), event(4, 'acme')])).flat().map(({ position }) => position)).toEqual([3, 4]);
  expect(asked).toBe(1);
});
