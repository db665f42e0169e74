import type { LedgerEvent } from '@bursar/contracts';
import type { StoredEvent } from '@bursar/event-store';
import { expect, test } from '@jest/globals';
import { StoreCauses } from './store-causes.js';

const event = (position: number, recordedAt: string) => ({ position, recordedAt }) as LedgerEvent;

/** A store whose events were recorded at `stored <position>`. */
const opened = () => {
  const read: number[] = [];
  const causes = new StoreCauses({
    readPartition: async (_partition, after) => {
      read.push(after + 1);
      return after + 1 > 10_000 ? [] : [{ recordedAt: `stored ${after + 1}` } as StoredEvent];
    },
  });
  return { causes, read };
};

test('what the loop has read lately is known, what came before it is in the store', async () => {
  const { causes, read } = opened();
  causes.fold(0, [event(5, 'a'), event(6, 'a'), event(7, 'b')]);
  causes.fold(0, [event(8, 'b'), event(9, 'c')]);
  const found = [];
  for (const position of [4, 5, 6, 7, 8, 9, 10]) found.push(await causes.recordedAt(0, position));
  expect(found).toEqual(['stored 4', 'a', 'a', 'b', 'b', 'c', 'stored 10']);
  expect(read).toEqual([4, 10]);
});

test('a partition that begins anew, and one that was followed for long, know what they know', async () => {
  const { causes, read } = opened();
  causes.fold(0, [event(1, 'a')]);
  causes.fold(0, [event(100, 'x')]);
  expect([await causes.recordedAt(0, 1), await causes.recordedAt(0, 50), await causes.recordedAt(0, 100)]).toEqual([
    'stored 1',
    'stored 50',
    'x',
  ]);
  for (let position = 101; position <= 1_000; position += 1) causes.fold(0, [event(position, `at ${position}`)]);
  expect([await causes.recordedAt(0, 1_000), await causes.recordedAt(0, 501), await causes.recordedAt(0, 500)]).toEqual([
    'at 1000',
    'at 501',
    'stored 500',
  ]);
  expect(read).toEqual([1, 50, 500]);
});

test('a cause that is not there is none', async () => {
  expect(await opened().causes.recordedAt(0, 20_000)).toBeNull();
});
