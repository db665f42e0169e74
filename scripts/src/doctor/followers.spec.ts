import { describe, expect, test } from '@jest/globals';
import { examineFollowers, isAnyoneBehind, ranges, type Sample } from './followers.ts';

const sampleOf = (heads: readonly number[], budget: readonly number[]): Sample => {
  const positions = (numbers: readonly number[]) => new Map(numbers.map((position, partition) => [partition, position]));
  return {
    heads: positions(heads),
    followers: new Map([
      ['budget', positions(budget)],
      ['breakdown', positions(heads)],
      ['alerting', positions(heads)],
      ['scheduler', positions(heads)],
      ['relay', positions(heads)],
    ]),
  };
};
const budgetOf = (before: Sample, now: Sample) => examineFollowers(before, now)[0];

describe('who follows the ledger', () => {
  test('at the head is well', () => {
    const well = sampleOf([5, 0], [5, 0]);
    expect(isAnyoneBehind(well)).toBe(false);
    expect(examineFollowers(well, well).map(({ level }) => level)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
  });

  test('behind and moving is well, far behind deserves a look', () => {
    expect(isAnyoneBehind(sampleOf([9], [5]))).toBe(true);
    expect(budgetOf(sampleOf([9], [5]), sampleOf([20], [8]))).toMatchObject({
      level: 'ok',
      text: expect.stringContaining('12 events behind'),
    });
    expect(budgetOf(sampleOf([90_000], [5]), sampleOf([90_000], [8]))?.level).toBe('warn');
  });

  test('standing still behind the head is wrong, and says where', () => {
    const before = sampleOf([9, 3, 3, 3], [9, 1, 2, 3]);
    const now = sampleOf([9, 3, 4, 3], [9, 1, 2, 3]);
    expect(budgetOf(before, now)).toMatchObject({
      level: 'bad',
      text: expect.stringMatching(/4 events behind, standing still in partition 1–2$/),
    });
  });

  test('what came after it was looked at is no standing still', () => {
    expect(budgetOf(sampleOf([9], [9]), sampleOf([10], [9]))?.level).toBe('ok');
  });

  test('F19: ahead of the store is wrong, also in a partition that the store does not know', () => {
    expect(budgetOf(sampleOf([9], [9]), sampleOf([7], [9]))).toMatchObject({ level: 'bad', text: expect.stringContaining('ahead') });
    expect(budgetOf(sampleOf([9], [9]), sampleOf([9], [9, 4]))).toMatchObject({
      level: 'bad',
      text: expect.stringMatching(/partition 1$/),
    });
  });
});

test.each([
  [[], ''],
  [[3], '3'],
  [[2, 1, 0, 7, 9, 8], '0–2, 7–9'],
])('%p as ranges: %s', (numbers, text) => expect(ranges(numbers)).toBe(text));
