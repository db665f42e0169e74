import type { AppendNotice } from '@bursar/contracts/bus';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Notices } from './notices.js';

const HOLDS = 'HoldsChanged';
const USAGE = 'UsageRecorded';
const CROSSED = 'ThresholdCrossed';

describe('notices', () => {
  let told: [number, AppendNotice][];
  let notices: Notices;
  const appended = (last: number, ...types: readonly string[]): void => notices.appended(0, { last, types: [...types] });
  beforeEach(() => {
    jest.useFakeTimers();
    told = [];
    notices = new Notices((partition, notice) => told.push([partition, notice]));
  });
  afterEach(() => void jest.useRealTimers());

  test('of one moment are told at its begin and, with the last of them, at its end', () => {
    for (let last = 1; last <= 5; last += 1) appended(last, HOLDS);
    expect(told).toEqual([[0, { last: 1, types: [HOLDS] }]]);
    jest.advanceTimersByTime(25);
    expect(told.slice(1)).toEqual([[0, { last: 5, types: [HOLDS] }]]);
    jest.advanceTimersByTime(1_000);
    expect(told).toHaveLength(2);
    appended(6, HOLDS);
    expect(told).toHaveLength(3);
  });

  test('are told at once where they tell of a type for the first time, with what waited', () => {
    appended(1, HOLDS);
    appended(2, HOLDS);
    appended(3, CROSSED);
    expect(told.slice(1)).toEqual([[0, { last: 3, types: [HOLDS, CROSSED] }]]);
    appended(4, CROSSED);
    appended(5, USAGE, HOLDS);
    expect(told.slice(2)).toEqual([[0, { last: 5, types: [CROSSED, USAGE, HOLDS] }]]);
    jest.advanceTimersByTime(1_000);
    expect(told).toHaveLength(3);
  });

  test('of a moment that follows at once are told at its end too', () => {
    appended(1, HOLDS);
    jest.advanceTimersByTime(24);
    appended(2, HOLDS);
    jest.advanceTimersByTime(1);
    appended(3, HOLDS);
    expect(told.map(([, { last }]) => last)).toEqual([1, 2]);
    jest.advanceTimersByTime(25);
    expect(told.map(([, { last }]) => last)).toEqual([1, 2, 3]);
  });

  test('of two partitions do not wait for each other', () => {
    appended(1, HOLDS);
    notices.appended(7, { last: 9, types: [HOLDS] });
    expect(told).toEqual([
      [0, { last: 1, types: [HOLDS] }],
      [7, { last: 9, types: [HOLDS] }],
    ]);
  });
});
