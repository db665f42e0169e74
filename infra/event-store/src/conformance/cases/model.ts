import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { AppendResult, EventOutcome, EventToAppend, ExpectedRevision } from '../../port.js';
import { event, readAll, upTo } from '../events.js';
import type { Case } from '../store-under-test.js';

/** A request in small numbers: ids and streams collide often, expectations hold now and then. */
type Draft = Readonly<{ stream: number; ids: readonly Readonly<{ id: number; content: number }>[]; expected: 'any' | 'none' | number }>;

const draft: fc.Arbitrary<Draft> = fc.record({
  stream: fc.nat(2),
  ids: fc.array(fc.record({ id: fc.nat(9), content: fc.constantFrom(0, 0, 0, 1) }), { minLength: 1, maxLength: 4 }),
  expected: fc.oneof(fc.constant('any' as const), fc.constant('none' as const), fc.nat(5)),
});
/** Rounds one after the other, the requests of a round at once; each round by one of two instances. */
const rounds = fc.array(fc.record({ instance: fc.nat(1), requests: fc.array(draft, { minLength: 1, maxLength: 5 }) }), { maxLength: 6 });

type Kept = Readonly<{ content: number; position: number; revision: number }>;

/** What the store must answer: one request after the other, as plainly as it can be said. */
class Oracle {
  readonly kept = new Map<number, Kept>();
  readonly revisions = [-1, -1, -1];

  constructor(private head: number) {}

  append({ stream, ids, expected }: Draft): AppendResult {
    const revision = this.revisions[stream] ?? -1;
    const guarded = expected !== 'any';
    const own = new Map<number, Kept>();
    const outcomes = ids.map(({ id, content }): EventOutcome => {
      const kept = this.kept.get(id) ?? own.get(id);
      if (kept !== undefined && kept.content !== content) return { status: 'conflict', position: kept.position };
      if (kept !== undefined) return { status: 'duplicate', position: kept.position, revision: kept.revision };
      const place = { position: this.head + own.size + 1, revision: revision + own.size + 1 };
      own.set(id, { content, ...place });
      return { status: 'accepted', ...place };
    });
    const conflict = outcomes.find((outcome) => outcome.status === 'conflict');
    if (guarded && conflict !== undefined) {
      const position = conflict.position > this.head ? 0 : conflict.position;
      const unstored = outcomes.map((o): EventOutcome => (o.position > this.head ? { status: 'conflict', position } : o));
      return { ok: true, outcomes: unstored, head: this.head, revision };
    }
    if (guarded && own.size > 0 && (expected === 'none' ? -1 : expected) !== revision) {
      return { ok: false, reason: 'wrong_expected_revision', revision };
    }
    for (const [id, kept] of own) this.kept.set(id, kept);
    this.head += own.size;
    this.revisions[stream] = revision + own.size;
    return { ok: true, outcomes, head: this.head, revision: revision + own.size };
  }
}

export const model: readonly Case[] = [
  {
    title: 'any history of appends, retries and refusals is answered and stored as by a plain list',
    run: async ({ subject, store, partition, stream }) => {
      const instances = [store, await subject.open()];
      let run = 0;
      const property = fc.asyncProperty(rounds, async (history) => {
        run += 1;
        const before = (await readAll(store, partition)).length;
        const oracle = new Oracle(before);
        const ids = Array.from({ length: 10 }, () => event().id);
        for (const { instance, requests } of history) {
          const answers = requests.map(({ stream: nth, ids: drafts, expected }) => {
            const events = drafts.map(({ id, content }): EventToAppend => event(`${run}.${id}.${content}`, ids[id]));
            const expectedRevision: ExpectedRevision = expected;
            return (instances[instance] ?? store).append({ partition, stream: stream(`${run}.${nth}`), events, expectedRevision });
          });
          expect(await Promise.all(answers)).toEqual(requests.map((request) => oracle.append(request)));
        }
        const stored = await readAll(store, partition);
        expect(stored.map((each) => each.position)).toEqual(upTo(before + oracle.kept.size));
        for (const [id, kept] of oracle.kept) {
          expect(stored[kept.position - 1]).toMatchObject({ id: ids[id], revision: kept.revision });
        }
        expect(await store.revisions([0, 1, 2].map((nth) => stream(`${run}.${nth}`)))).toEqual(oracle.revisions);
      });
      try {
        await fc.assert(property, { numRuns: 60 });
      } finally {
        await instances[1]?.close();
      }
      expect(await store.verify(partition)).toBeNull();
    },
  },
];
