import { expect } from '@jest/globals';
import { append, changed, event, events, readAll, statusesOf } from '../events.js';
import type { Case } from '../store-under-test.js';

export const expectations: readonly Case[] = [
  {
    title: '`none` holds for a new stream only, a number for exactly that revision',
    run: async ({ store, partition, stream }) => {
      const attempt = (expectedRevision: 'none' | number) =>
        store.append({ partition, stream: stream(), events: events(1), expectedRevision });
      expect(await attempt(0)).toEqual({ ok: false, reason: 'wrong_expected_revision', revision: -1 });
      expect(await attempt('none')).toMatchObject({ ok: true, revision: 0 });
      expect(await attempt('none')).toEqual({ ok: false, reason: 'wrong_expected_revision', revision: 0 });
      expect(await attempt(1)).toEqual({ ok: false, reason: 'wrong_expected_revision', revision: 0 });
      expect(await attempt(0)).toMatchObject({ ok: true, revision: 1 });
      expect(await readAll(store, partition)).toHaveLength(2);
    },
  },
  {
    title: 'ids are looked up before the expected revision: a retry is a duplicate, never a conflict',
    run: async ({ store, partition, stream }) => {
      const [created, edited] = [event(), event()];
      const create = { partition, stream: stream(), events: [created], expectedRevision: 'none' as const };
      const edit = { partition, stream: stream(), events: [edited], expectedRevision: 0 };
      await store.append(create);
      await store.append(edit);
      await append(store, { partition, stream: stream(), events: events(3) });
      expect(await store.append(create)).toMatchObject({
        ok: true,
        outcomes: [{ status: 'duplicate', position: 1, revision: 0 }],
        revision: 4,
      });
      expect(await store.append(edit)).toMatchObject({
        ok: true,
        outcomes: [{ status: 'duplicate', position: 2, revision: 1 }],
        revision: 4,
      });
    },
  },
  {
    title: 'a retry beside new events of other callers is a duplicate too',
    run: async ({ store, partition, stream }) => {
      const [a, b] = [stream('a'), stream('b')];
      const create = { partition, stream: a, events: [event()], expectedRevision: 'none' as const };
      await store.append(create);
      for (let n = 0; n < 3; n += 1) await Promise.all([a, b].map((name) => append(store, { partition, stream: name, events: events(1) })));
      const [, retried] = await Promise.all([
        append(store, { partition, stream: b, events: events(1) }),
        store.append(create),
        append(store, { partition, stream: b, events: events(1) }),
      ]);
      expect(retried).toMatchObject({ ok: true, outcomes: [{ status: 'duplicate', position: 1, revision: 0 }] });
      expect(await readAll(store, partition)).toHaveLength(9);
    },
  },
  {
    title: 'a unit whose expectation fails stores nothing, not even its new events beside known ones',
    run: async ({ store, partition, stream }) => {
      const known = event();
      await append(store, { partition, stream: stream(), events: [known] });
      const result = await store.append({ partition, stream: stream(), events: [known, event()], expectedRevision: 'none' });
      expect(result).toEqual({ ok: false, reason: 'wrong_expected_revision', revision: 0 });
      expect(await readAll(store, partition)).toHaveLength(1);
    },
  },
  {
    title: 'with an expectation a conflict stores nothing of the unit',
    run: async ({ store, partition, stream }) => {
      const [known, fresh] = [event(), event()];
      await append(store, { partition, stream: stream(), events: [known] });
      const request = { partition, stream: stream(), events: [fresh, changed(known), known], expectedRevision: 0 };
      expect(await store.append(request)).toEqual({
        ok: true,
        outcomes: [
          { status: 'conflict', position: 1 },
          { status: 'conflict', position: 1 },
          { status: 'duplicate', position: 1, revision: 0 },
        ],
        head: 1,
        revision: 0,
      });
      expect((await store.lookup(partition, [fresh.id])).size).toBe(0);
      // The id is not taken by the attempt.
      expect(statusesOf(await store.append({ ...request, events: [changed(fresh)] }))).toEqual(['accepted']);
    },
  },
  {
    title: 'requests made at once succeed and fail independently',
    run: async ({ store, partition, stream }) => {
      const known = event();
      await append(store, { partition, stream: stream('a'), events: [known] });
      const results = await Promise.all([
        store.append({ partition, stream: stream('a'), events: events(2), expectedRevision: 0 }),
        store.append({ partition, stream: stream('a'), events: events(2), expectedRevision: 0 }),
        store.append({ partition, stream: stream('b'), events: events(1), expectedRevision: 'none' }),
        store.append({ partition, stream: stream('b'), events: [changed(known)], expectedRevision: 'any' }),
        store.append({ partition, stream: stream('b'), events: events(1), expectedRevision: 'none' }),
        store.append({ partition, stream: stream('a'), events: events(1), expectedRevision: 2 }),
      ]);
      expect(results).toMatchObject([
        { ok: true, revision: 2 },
        { ok: false, revision: 2 },
        { ok: true, revision: 0 },
        { ok: true, outcomes: [{ status: 'conflict' }] },
        { ok: false, revision: 0 },
        { ok: true, revision: 3 },
      ]);
      expect((await readAll(store, partition)).map((each) => [each.position, each.stream, each.revision])).toEqual([
        [1, stream('a'), 0],
        [2, stream('a'), 1],
        [3, stream('a'), 2],
        [4, stream('b'), 0],
        [5, stream('a'), 3],
      ]);
    },
  },
  {
    title: 'of callers racing with one expected revision exactly one wins, over two instances',
    run: async ({ subject, store, partition, stream }) => {
      const other = await subject.open();
      try {
        for (let round = 0; round < 10; round += 1) {
          const expectedRevision = round === 0 ? ('none' as const) : round - 1;
          const racers = Array.from({ length: 16 }, (_, index) =>
            (index % 2 === 0 ? store : other).append({ partition, stream: stream(), events: events(1), expectedRevision }),
          );
          const results = await Promise.all(racers);
          expect(results.filter((result) => result.ok)).toHaveLength(1);
          expect(results.filter((result) => !result.ok).every((result) => result.revision === round)).toBe(true);
        }
      } finally {
        await other.close();
      }
      expect(await store.revisions([stream()])).toEqual([9]);
    },
  },
];
