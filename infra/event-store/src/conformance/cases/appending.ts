import { expect } from '@jest/globals';
import type { AppendedRange } from '../../port.js';
import { append, event, events, readAll } from '../events.js';
import type { Case } from '../store-under-test.js';

export const appending: readonly Case[] = [
  {
    title: 'an empty partition has head 0, no link and no events',
    run: async ({ store, partition, stream }) => {
      const head = (await store.heads()).find((each) => each.partition === partition);
      expect(head).toMatchObject({ position: 0, recordedAt: null });
      expect(Buffer.from(head?.link ?? [1])).toEqual(Buffer.alloc(32));
      expect(await store.readPartition(partition, 0, 10)).toEqual([]);
      expect(await store.readStream(stream(), 0, 10)).toEqual([]);
      expect(await store.revisions([stream()])).toEqual([-1]);
      expect(await store.linkAt(partition, 0)).toBeNull();
    },
  },
  {
    title: 'positions begin at 1 and revisions at 0, and the answer says where each event is',
    run: async ({ store, partition, stream }) => {
      const first = await store.append({ partition, stream: stream('a'), events: events(2), expectedRevision: 'any' });
      expect(first).toMatchObject({ ok: true, head: 2, revision: 1 });
      const second = await store.append({ partition, stream: stream('b'), events: events(1), expectedRevision: 'any' });
      expect(second).toMatchObject({ ok: true, head: 3, revision: 0, outcomes: [{ status: 'accepted', position: 3, revision: 0 }] });
      expect((await store.heads()).find((each) => each.partition === partition)?.position).toBe(3);
    },
  },
  {
    title: 'what is stored is what was given, to the last byte',
    run: async ({ store, partition, stream }) => {
      const odd = [
        { ...event(), data: '{ "spaces" : 1.50,"unicode":"é 漢 🜚 \\u0000 \\\\ \'\\"" }', meta: '{"actor":"a\\tb","tenant":"t"}' },
        { ...event(), type: 'Ünusual "type"', version: 7, data: `"${'long '.repeat(40_000)}"` },
        { ...event(), data: '{"empty":""}', meta: '{}' },
      ];
      const name = stream('odd "name" \\ {x,y}');
      await append(store, { partition, stream: name, events: odd });
      const stored = await store.readStream(name, 0, 10);
      expect(stored.map(({ id, type, version, data, meta }) => ({ id, type, version, data, meta }))).toEqual(
        odd.map(({ contentHash, ...rest }) => rest),
      );
      expect(stored.map((each) => [each.partition, each.position, each.stream, each.revision])).toEqual(
        odd.map((_, index) => [partition, index + 1, name, index]),
      );
      expect(await store.verify(partition)).toBeNull();
    },
  },
  {
    title: 'the outcomes are in the order of the events, for every size of unit',
    run: async ({ store, partition, stream }) => {
      let position = 0;
      for (const size of [1, 2, 49, 50, 51, 499, 500, 501, 1200]) {
        const unit = events(size);
        const outcomes = await append(store, { partition, stream: stream(), events: unit });
        expect(outcomes).toEqual(
          unit.map((_, index) => ({ status: 'accepted', position: position + index + 1, revision: position + index })),
        );
        const stored = await store.readPartition(partition, position, size);
        expect(stored.map((each) => each.id)).toEqual(unit.map((each) => each.id));
        position += size;
      }
    },
  },
  {
    title: 'a unit without events stores nothing and tells head and revision',
    run: async ({ store, partition, stream }) => {
      const request = { partition, stream: stream(), events: [] };
      expect(await store.append({ ...request, expectedRevision: 'none' })).toEqual({ ok: true, outcomes: [], head: 0, revision: -1 });
      expect(await store.append({ ...request, expectedRevision: 3 })).toEqual({
        ok: false,
        reason: 'wrong_expected_revision',
        revision: -1,
      });
      expect(await readAll(store, partition)).toEqual([]);
    },
  },
  {
    title: 'listeners are told of each committed range, once, with the link at its end and the events as they are read',
    run: async ({ store, partition, stream }) => {
      const ranges: AppendedRange[] = [];
      store.onAppended((range) => {
        if (range.partition === partition) ranges.push(range);
      });
      const known = event();
      await append(store, { partition, stream: stream(), events: [known, ...events(2)] });
      await append(store, { partition, stream: stream(), events: [known] });
      await append(store, { partition, stream: stream(), events: [known, event()] });
      await store.append({ partition, stream: stream(), events: events(1), expectedRevision: 'none' });
      expect(ranges.map(({ first, last }) => [first, last])).toEqual([
        [1, 3],
        [4, 4],
      ]);
      expect(ranges.flatMap((range) => range.events)).toEqual(await readAll(store, partition));
      for (const range of ranges) expect(Buffer.from(range.link)).toEqual(Buffer.from((await store.linkAt(partition, range.last)) ?? []));
    },
  },
  {
    title: 'what could not be stored exactly is a RangeError of its caller and stores nothing',
    run: async ({ store, partition, stream }) => {
      const good = { partition, stream: stream(), events: events(1), expectedRevision: 'any' as const };
      const bad = [
        { ...good, partition: -1 },
        { ...good, partition: store.partitions },
        { ...good, partition: 0.5 },
        { ...good, stream: '' },
        { ...good, stream: 'nul\0' },
        { ...good, expectedRevision: -1 },
        { ...good, expectedRevision: 1.5 },
        { ...good, events: [{ ...event(), id: 'not-a-uuid' }] },
        { ...good, events: [{ ...event(), id: event().id.toUpperCase() }] },
        { ...good, events: [{ ...event(), data: '"\0"' }] },
        { ...good, events: [{ ...event(), data: '"\ud800"' }] },
        { ...good, events: [{ ...event(), version: 1.5 }] },
        { ...good, events: [{ ...event(), contentHash: new Uint8Array(31) }] },
      ];
      for (const request of bad) await expect(store.append(request)).rejects.toThrow(RangeError);
      expect(await readAll(store, partition)).toEqual([]);
    },
  },
];
