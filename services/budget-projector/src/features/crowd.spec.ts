import { describe, expect, test } from '@jest/globals';
import { Crowd } from './crowd.js';

/** After an append at 0 that answered so many while others waited. */
const after = (decided: number, waiting: number): Crowd => {
  const crowd = new Crowd();
  crowd.landed(decided, waiting, 0);
  return crowd;
};

describe('a crowd', () => {
  test('is waited for until most of it asks again, and no longer than its patience', () => {
    const crowd = after(40, 24);
    expect(crowd.waitMs(24, 0)).toBe(4);
    expect(crowd.waitMs(51, 1.5)).toBe(2.5);
    expect(crowd.waitMs(52, 1.5)).toBe(0);
    expect(crowd.waitMs(24, 4)).toBe(0);
    expect(crowd.waitMs(24, 60_000)).toBe(0);
  });

  test('is not waited for where few ask, nor by the first', () => {
    expect(new Crowd().waitMs(1, 0)).toBe(0);
    expect(after(10, 5).waitMs(1, 0)).toBe(0);
    expect(after(10, 6).waitMs(1, 0)).toBe(4);
  });

  test('that no longer comes is forgotten within a few appends', () => {
    const crowd = after(64, 0);
    let appends = 0;
    for (; crowd.waitMs(1, 0) > 0; appends += 1) crowd.landed(1, 0, 0);
    expect(appends).toBe(14);
  });

  test('that was there long before is forgotten with the next append', () => {
    const crowd = after(64, 0);
    crowd.landed(1, 0, 4 + 50.5);
    expect(crowd.waitMs(1, 54.5)).toBe(0);
  });

  test('that grows is met at once', () => {
    const crowd = after(20, 0);
    crowd.landed(100, 100, 0);
    expect(crowd.waitMs(159, 0)).toBe(4);
    expect(crowd.waitMs(160, 0)).toBe(0);
  });
});
