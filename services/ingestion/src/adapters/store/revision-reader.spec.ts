import { expect, test } from '@jest/globals';
import { RevisionReader } from './revision-reader.js';

/** A store whose reads end when told to, and see what the revisions are when they begin. */
const scripted = () => {
  const revisions = new Map<string, number>();
  const reads: { streams: readonly string[]; finish: () => void; fail: (error: Error) => void }[] = [];
  const store = {
    revisions: (streams: readonly string[]): Promise<readonly number[]> => {
      const seen = streams.map((stream) => revisions.get(stream) ?? -1);
      const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
      reads.push({ streams, finish: () => resolve(seen), fail: reject });
      return promise;
    },
  };
  return { revisions, reads, reader: new RevisionReader(store) };
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('all who ask at once share one read', async () => {
  const { revisions, reads, reader } = scripted();
  revisions.set('a', 3);
  const answers = [reader.read('a'), reader.read('b'), reader.read('a')];
  await turn();
  expect(reads.map(({ streams }) => streams)).toEqual([['a', 'b']]);
  reads[0]?.finish();
  expect(await Promise.all(answers)).toEqual([3, -1, 3]);
});

test('a read that had begun before somebody asked is not his answer', async () => {
  const { revisions, reads, reader } = scripted();
  const early = reader.read('a');
  await turn();
  revisions.set('a', 7); // a command was stored and answered, and its caller asks now
  const late = reader.read('a');
  await turn();
  expect(reads).toHaveLength(1);
  reads[0]?.finish();
  await turn();
  reads[1]?.finish();
  expect([await early, await late]).toEqual([-1, 7]);
});

test('a failed read fails those who waited for it and nobody after', async () => {
  const { reads, reader } = scripted();
  const failing = reader.read('a');
  await turn();
  reads[0]?.fail(new Error('down'));
  await expect(failing).rejects.toThrow('down');
  const next = reader.read('a');
  await turn();
  reads[1]?.finish();
  expect(await next).toBe(-1);
});
