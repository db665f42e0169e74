import { expect } from '@jest/globals';
import { append, changed, event, events, readAll } from '../events.js';
import type { Case } from '../store-under-test.js';

export const idempotency: readonly Case[] = [
  {
    title: 'an event appended again is a duplicate, told where it is, and stored once',
    run: async ({ store, partition, stream }) => {
      const [a, b] = [event(), event()];
      await append(store, { partition, stream: stream(), events: [a] });
      expect(await append(store, { partition, stream: stream(), events: [b, a] })).toEqual([
        { status: 'accepted', position: 2, revision: 1 },
        { status: 'duplicate', position: 1, revision: 0 },
      ]);
      expect((await readAll(store, partition)).map((each) => each.id)).toEqual([a.id, b.id]);
    },
  },
  {
    title: 'an id appended with another content is a conflict, and the rest of its unit is stored',
    run: async ({ store, partition, stream }) => {
      const [a, b] = [event(), event()];
      await append(store, { partition, stream: stream(), events: [a] });
      expect(await append(store, { partition, stream: stream(), events: [changed(a), b] })).toEqual([
        { status: 'conflict', position: 1 },
        { status: 'accepted', position: 2, revision: 1 },
      ]);
      expect(await readAll(store, partition)).toMatchObject([{ data: a.data }, { data: b.data }]);
    },
  },
  {
    title: 'the content hash decides, not the stored text',
    run: async ({ store, partition, stream }) => {
      const a = event();
      await append(store, { partition, stream: stream(), events: [a] });
      const rated = { ...a, data: '{"rated":true}', meta: '{"tenant":"x"}' };
      expect(await append(store, { partition, stream: stream(), events: [rated] })).toMatchObject([{ status: 'duplicate' }]);
      expect(await readAll(store, partition)).toMatchObject([{ data: a.data }]);
    },
  },
  {
    title: 'an id is one event in its partition, whatever the stream',
    run: async ({ store, partition, stream }) => {
      const a = event();
      await append(store, { partition, stream: stream('a'), events: [a] });
      expect(await append(store, { partition, stream: stream('b'), events: [a] })).toEqual([
        { status: 'duplicate', position: 1, revision: 0 },
      ]);
      expect(await store.revisions([stream('b')])).toEqual([-1]);
    },
  },
  {
    title: 'duplicates and conflicts inside one unit are found, in order',
    run: async ({ store, partition, stream }) => {
      const [a, b] = [event(), event()];
      expect(await append(store, { partition, stream: stream(), events: [a, a, changed(a), b, b] })).toEqual([
        { status: 'accepted', position: 1, revision: 0 },
        { status: 'duplicate', position: 1, revision: 0 },
        { status: 'conflict', position: 1 },
        { status: 'accepted', position: 2, revision: 1 },
        { status: 'duplicate', position: 2, revision: 1 },
      ]);
    },
  },
  {
    title: 'duplicates and conflicts between requests made at once are found, in order',
    run: async ({ store, partition, stream }) => {
      const a = event();
      const requests = [[a], [a, event()], [changed(a)], [event(), a]].map((unit) =>
        append(store, { partition, stream: stream(), events: unit }),
      );
      const statuses = (await Promise.all(requests)).map((outcomes) => outcomes.map((outcome) => outcome.status));
      expect(statuses).toEqual([['accepted'], ['duplicate', 'accepted'], ['conflict'], ['accepted', 'duplicate']]);
    },
  },
  {
    title: 'one id sent by 64 callers at once is accepted once',
    run: async ({ store, partition, stream }) => {
      const a = event();
      const results = await Promise.all(Array.from({ length: 64 }, () => append(store, { partition, stream: stream(), events: [a] })));
      expect(results.flat().filter((outcome) => outcome.status === 'accepted')).toHaveLength(1);
      expect(results.flat().every((outcome) => outcome.position === 1)).toBe(true);
      expect(await readAll(store, partition)).toHaveLength(1);
    },
  },
  {
    title: 'a batch sent again in another order and mixed with new events adds only those',
    run: async ({ store, partition, stream }) => {
      const old = events(300);
      await append(store, { partition, stream: stream(), events: old });
      const mixed = [...old].reverse().flatMap((each, index) => (index % 3 === 0 ? [event(), each] : [each]));
      const outcomes = await append(store, { partition, stream: stream(), events: mixed });
      expect(outcomes.filter((outcome) => outcome.status === 'accepted').map((outcome) => outcome.position)).toEqual(
        Array.from({ length: 100 }, (_, index) => 301 + index),
      );
      outcomes.forEach((outcome, index) => {
        const at = old.findIndex((each) => each.id === mixed[index]?.id);
        if (at >= 0) expect(outcome).toEqual({ status: 'duplicate', position: at + 1, revision: at });
      });
      expect(await readAll(store, partition)).toHaveLength(400);
    },
  },
  {
    title: 'ids are looked up by partition with their content, absent ones left out',
    run: async ({ store, partition, stream }) => {
      const [a, b, absent] = [event(), event(), event()];
      await append(store, { partition, stream: stream(), events: [a, b] });
      const found = await store.lookup(partition, [b.id, absent.id, a.id]);
      expect([...found].sort((x, y) => x[1].position - y[1].position)).toEqual([
        [a.id, { position: 1, revision: 0, contentHash: Buffer.from(a.contentHash) }],
        [b.id, { position: 2, revision: 1, contentHash: Buffer.from(b.contentHash) }],
      ]);
      expect((await store.lookup((partition + 1) % store.partitions, [a.id])).size).toBe(0);
      expect((await store.lookup(partition, [])).size).toBe(0);
    },
  },
];
