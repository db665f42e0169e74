import { expect, test } from '@jest/globals';
import { OwnerDirectory, type OwnerUrls } from './owner-directory.js';

/** Reads that end when they are told to. */
const setUp = () => {
  const reads: PromiseWithResolvers<OwnerUrls>[] = [];
  const directory = new OwnerDirectory(() => {
    const read = Promise.withResolvers<OwnerUrls>();
    reads.push(read);
    return read.promise;
  });
  return { reads, directory };
};

test('hundreds who look for owners at once share one read; who comes after it begins another', async () => {
  const { reads, directory } = setUp();
  const asked = Array.from({ length: 300 }, (_, n) => directory.urlOf(n % 3));
  expect(reads).toHaveLength(1);
  reads[0]?.resolve(new Map([[1, 'http://one']]));
  const found = await Promise.all(asked);
  expect([found[0], found[1], found[2], found[298]]).toEqual([null, 'http://one', null, 'http://one']);
  const again = directory.urlOf(1);
  expect(reads).toHaveLength(2);
  reads[1]?.resolve(new Map());
  expect(await again).toBeNull();
});

test('a read that fails is everybody’s who waited for it, and nobody’s who asks next', async () => {
  const { reads, directory } = setUp();
  const asked = [directory.urlOf(0), directory.urlOf(1)];
  reads[0]?.reject(new Error('away'));
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const again = directory.urlOf(0);
  reads[1]?.resolve(new Map([[0, 'http://back']]));
  expect(await again).toBe('http://back');
});
