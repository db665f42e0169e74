import { expect, test } from '@jest/globals';
import { batches } from './batches.js';

/** A queue that is read as it is filled. */
const queue = () => {
  const items: number[] = [];
  let waiting: (() => void) | null = null;
  let ended = false;
  async function* read(): AsyncGenerator<number> {
    for (;;) {
      const item = items.shift();
      if (item !== undefined) yield item;
      else if (ended) return;
      else
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
    }
  }
  return {
    push: (...more: number[]) => {
      items.push(...more);
      waiting?.();
    },
    end: () => {
      ended = true;
      waiting?.();
    },
    source: read(),
  };
};

test('what waits goes together, a lone one at once, and nothing is lost or reordered', async () => {
  const { push, end, source } = queue();
  const seen: (readonly number[])[] = [];
  push(1, 2, 3, 4, 5);
  const reading = (async () => {
    for await (const batch of batches(source, 3)) {
      seen.push(batch);
      if (seen.length === 2) setImmediate(() => push(6));
      if (batch.includes(6)) end();
    }
  })();
  await reading;
  expect(seen).toEqual([[1, 2, 3], [4, 5], [6]]);
});
