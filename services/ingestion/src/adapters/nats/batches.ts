import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * What waits, in batches: everything that has arrived by now, at most `max`. No timer: while one batch is being worked on the next one
 * gathers, so a lone message never waits for company.
 */
export async function* batches<T>(source: AsyncIterable<T>, max: number): AsyncGenerator<readonly T[]> {
  const iterator = source[Symbol.asyncIterator]();
  let pending = iterator.next();
  for (;;) {
    const first = await pending;
    if (first.done) return;
    const batch = [first.value];
    pending = iterator.next();
    while (batch.length < max) {
      const next = await Promise.race([pending, nextTurn(null)]);
      if (next === null || next.done) break;
      batch.push(next.value);
      pending = iterator.next();
    }
    yield batch;
  }
}
