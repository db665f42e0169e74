import type { StoredEvent } from '@bursar/event-store';
import { expect, test } from '@jest/globals';
import { StoreCauses } from './store-causes.js';

/** A store whose events were recorded at `stored <position>`. */
const opened = () => {
  const read: number[] = [];
  let failures = 0;
  const causes = new StoreCauses({
    readPartition: async (_partition, after) => {
      read.push(after + 1);
      failures -= 1;
      if (failures >= 0) throw new Error('the store is restarting');
      return after + 1 > 10_000 ? [] : [{ recordedAt: `stored ${after + 1}` } as StoredEvent];
    },
  });
  return {
    causes,
    read,
    fail: (times: number) => {
      failures = times;
    },
  };
};

test('a cause that many crossings name is read once, and each partition has its own', async () => {
  const { causes, read } = opened();
  expect(await Promise.all([causes.recordedAt(0, 5), causes.recordedAt(0, 5), causes.recordedAt(1, 5), causes.recordedAt(0, 6)])).toEqual([
    'stored 5',
    'stored 5',
    'stored 5',
    'stored 6',
  ]);
  expect(await causes.recordedAt(0, 5)).toBe('stored 5');
  expect(read).toEqual([5, 5, 6]);
});

test('what was asked for long ago is read again', async () => {
  const { causes, read } = opened();
  for (let position = 1; position <= 1_000; position += 1) await causes.recordedAt(0, position);
  expect([await causes.recordedAt(0, 1_000), await causes.recordedAt(0, 1)]).toEqual(['stored 1000', 'stored 1']);
  expect(read).toHaveLength(1_001);
});

test('a store that did not answer is asked again', async () => {
  const { causes, fail } = opened();
  fail(1);
  await expect(causes.recordedAt(0, 5)).rejects.toThrow('restarting');
  expect(await causes.recordedAt(0, 5)).toBe('stored 5');
});

test('a cause that is not there is none', async () => {
  expect(await opened().causes.recordedAt(0, 20_000)).toBeNull();
});
