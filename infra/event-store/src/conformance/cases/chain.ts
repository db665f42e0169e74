import { expect } from '@jest/globals';
import { GENESIS } from '../../chain.js';
import { linkOfAppend } from '../../link-of-append.js';
import { append, event, events } from '../events.js';
import type { Case, CaseContext, Tampering } from '../store-under-test.js';

/** Appends of 1, 3, 60 and 2 events; the third holds positions 5 to 64. */
const fill = async ({ store, partition, stream }: CaseContext) => {
  for (const size of [1, 3, 60, 2]) await append(store, { partition, stream: stream(`${size}`), events: events(size) });
};

const caught = (title: string, how: Tampering, at: number): Case => ({
  title: `verify catches ${title}`,
  run: async (context) => {
    await fill(context);
    expect(await context.store.verify(context.partition)).toBeNull();
    await context.subject.tamper(context.partition, how);
    expect(await context.store.verify(context.partition)).toMatchObject({ position: at });
  },
});

export const chain: readonly Case[] = [
  {
    title: 'there is a link at the end of each append and nowhere else, and the head carries the last one',
    run: async (context) => {
      const { store, partition } = context;
      await fill(context);
      const links = await Promise.all([1, 2, 4, 5, 64, 65, 66, 67].map((position) => store.linkAt(partition, position)));
      expect(links.map((link) => link?.length ?? null)).toEqual([32, null, 32, null, 32, null, 32, null]);
      const head = (await store.heads()).find((each) => each.partition === partition);
      expect(Buffer.from(head?.link ?? [])).toEqual(Buffer.from(links[6] ?? []));
    },
  },
  {
    title: 'anyone who holds an append’s events and the link before them can compute its link, and no other events give it',
    run: async (context) => {
      const { store, partition } = context;
      await fill(context);
      let previous = GENESIS;
      for (const [first, last] of [
        [1, 1],
        [2, 4],
        [5, 64],
        [65, 66],
      ] as const) {
        const own = await store.readPartition(partition, first - 1, last - first + 1);
        const link = await store.linkAt(partition, last);
        expect(Buffer.from(linkOfAppend(previous, own) ?? [])).toEqual(Buffer.from(link ?? []));
        const forged = own.map((each, index) => (index === 0 ? { ...each, data: '{"content":"forged"}' } : each));
        expect(Buffer.from(linkOfAppend(previous, forged) ?? [])).not.toEqual(Buffer.from(link ?? []));
        previous = link ?? GENESIS;
      }
    },
  },
  {
    title: 'the chain holds over appends with duplicates, conflicts and refusals between',
    run: async ({ store, partition, stream }) => {
      const known = events(4);
      await append(store, { partition, stream: stream(), events: known });
      await append(store, { partition, stream: stream(), events: [event(), ...known] });
      await store.append({ partition, stream: stream(), events: events(1), expectedRevision: 'none' });
      await append(store, { partition, stream: stream(), events: [...known.slice(2), event(), event()] });
      expect(await store.verify(partition)).toBeNull();
    },
  },
  caught('a changed amount', { what: 'data', position: 20 }, 5),
  caught('changed metadata', { what: 'meta', position: 1 }, 1),
  caught('a changed type', { what: 'type', position: 66 }, 65),
  caught('a changed content hash', { what: 'content hash', position: 64 }, 5),
  caught('a changed id', { what: 'id', position: 3 }, 2),
  caught('a changed instant', { what: 'recordedAt', position: 30 }, 5),
  caught('a removed event', { what: 'remove', position: 33 }, 33),
  caught('a removed last event', { what: 'remove', position: 66 }, 66),
  caught('two events in each other’s place', { what: 'swap', position: 10, with: 40 }, 5),
  caught('two events of different appends in each other’s place', { what: 'swap', position: 2, with: 40 }, 2),
];
