import { expect, test } from '@jest/globals';
import { Progress } from './progress.js';

const lag = (progress: Progress, now: number): readonly number[] => {
  const { partitions, events, seconds } = progress.lag(now);
  return [partitions, events, seconds];
};

test('lag is what the heads are ahead by, and how long that has been known', () => {
  const progress = new Progress();
  progress.reached(0, 10, 0);
  progress.reached(1, 0, 0);
  expect(lag(progress, 5_000)).toEqual([2, 0, 0]);
  progress.heads(
    [
      { partition: 0, position: 15 },
      { partition: 1, position: 2 },
    ],
    1_000,
  );
  expect(lag(progress, 3_000)).toEqual([2, 7, 2]);
  progress.reached(0, 15, 3_000);
  progress.reached(1, 2, 3_000);
  expect(lag(progress, 9_000)).toEqual([2, 0, 0]);
});

test('a fan-out that keeps up is not late because the head moves on', () => {
  const progress = new Progress();
  for (let second = 0; second < 60; second += 1) {
    progress.heads([{ partition: 0, position: (second + 1) * 100 }], second * 1_000);
    progress.reached(0, second * 100, second * 1_000 + 500);
  }
  expect(lag(progress, 60_000)).toEqual([1, 100, 0.5]);
});

test('one that stands still grows later, whatever comes after', () => {
  const progress = new Progress();
  progress.reached(0, 0, 0);
  for (let second = 0; second < 10; second += 1) progress.heads([{ partition: 0, position: second + 1 }], second * 1_000);
  expect(lag(progress, 10_000)).toEqual([1, 10, 10]);
  progress.forget(0);
  expect(lag(progress, 10_000)).toEqual([0, 0, 0]);
});
