import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Answer } from './answer.js';
import { ok } from './answer.js';
import { LongReads } from './long-reads.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Work that is done when told to; `begun` counts. */
const slow = () => {
  const done: ((answer: Answer) => void)[] = [];
  const work = (): Promise<Answer> => new Promise((resolve) => done.push(resolve));
  return { work, begun: () => done.length, finish: (n: number, said: string) => done[n]?.(ok(said)) };
};
const body = async (answer: Promise<Answer>): Promise<unknown> => (await answer).body;
const code = (answer: Promise<Answer>): Promise<unknown> =>
  answer.then(
    () => null,
    ({ code: said }: { code: string }) => said,
  );

describe('a question that takes long', () => {
  test.each(['answer', 'current'] as const)('%s: who is sent away after 7 s gets what was begun for it', async (kind) => {
    const reads = new LongReads();
    const { work, begun, finish } = slow();
    const first = code(reads[kind](['q'], work));
    await jest.advanceTimersByTimeAsync(7_000);
    expect(await first).toBe('counting');
    const again = body(reads[kind](['q'], work));
    finish(0, 'done');
    expect([await again, begun()]).toEqual(['done', 1]);
  });

  test('about the past is read once for all who ask it at a time', async () => {
    const reads = new LongReads();
    const { work, begun, finish } = slow();
    const both = [body(reads.answer(['q'], work)), body(reads.answer(['q'], work))];
    finish(0, 'done');
    expect([await Promise.all(both), begun()]).toEqual([['done', 'done'], 1]);
  });

  test('about what is so by now is read anew: what was begun before may lack what was written meanwhile', async () => {
    const reads = new LongReads();
    const { work, finish } = slow();
    const both = [body(reads.current(['q'], work)), body(reads.current(['q'], work))];
    finish(0, 'before');
    finish(1, 'after');
    expect(await Promise.all(both)).toEqual(['before', 'after']);
  });

  test('is one of 64 at most, whether or not they are the same', async () => {
    const reads = new LongReads();
    const { work } = slow();
    for (let n = 0; n < 64; n += 1) void code(reads.current(['q'], work));
    expect(await code(reads.current(['other'], work))).toBe('overloaded');
  });
});
