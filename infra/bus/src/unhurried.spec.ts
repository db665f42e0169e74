import type { AppendedRange } from '@bursar/event-store';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Unhurried } from './unhurried.js';

const range = (first: number, partition = 0): AppendedRange => ({
  partition,
  first,
  last: first,
  link: Buffer.from([first]),
  events: [
    {
      partition,
      position: first,
      stream: 'holds-0',
      revision: first,
      id: '00000000-0000-8000-8000-000000000000',
      type: 'HoldsChanged',
      version: 3,
      data: '{}',
      meta: '{}',
      contentHash: Buffer.alloc(32),
      recordedAt: `2025-01-15T10:00:00.${String(first).padStart(6, '0')}Z`,
    },
  ],
});

describe('ranges that nobody waits for', () => {
  let sent: (readonly [partition: number, first: number, last: number])[];
  let unhurried: Unhurried;

  beforeEach(() => {
    jest.useFakeTimers();
    sent = [];
    unhurried = new Unhurried(({ partition, first, last }) => sent.push([partition, first, last]));
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  test('go together 100 ms after the first of them', () => {
    unhurried.add(range(7));
    jest.advanceTimersByTime(60);
    unhurried.add(range(8));
    jest.advanceTimersByTime(39);
    expect(sent).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(sent).toEqual([[0, 7, 8]]);
    unhurried.add(range(9));
    jest.advanceTimersByTime(99);
    expect(sent).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(sent).toEqual([
      [0, 7, 8],
      [0, 9, 9],
    ]);
  });

  test('go at once with what is waited for, and not again later', () => {
    unhurried.add(range(1));
    unhurried.add(range(2));
    unhurried.flush();
    jest.advanceTimersByTime(1_000);
    expect(sent).toEqual([[0, 1, 2]]);
  });

  test("go at once when somebody else's later range is on the bus: who takes that misses them", () => {
    unhurried.add(range(5));
    unhurried.heard(0, 4);
    unhurried.heard(1, 9);
    expect(sent).toEqual([]);
    unhurried.heard(0, 6);
    expect(sent).toEqual([[0, 5, 5]]);
  });

  test('do not wait where that range was heard before they were there', () => {
    unhurried.heard(0, 8);
    unhurried.add(range(7, 1));
    unhurried.add(range(9));
    expect(sent).toEqual([]);
    unhurried.add(range(7));
    expect(sent).toContainEqual([0, 7, 7]);
  });
});
