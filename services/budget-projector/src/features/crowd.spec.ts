import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Crowd } from './crowd.js';

const STEP_MS = 0.1;

type World = Readonly<{
  crowd: Pick<Crowd, 'leaves' | 'landed' | 'waitMs'>;
  appendMs: number;
  /** Who asks by then: given when it is, and who was answered when. */
  asking: (now: number, answered: readonly number[]) => number;
  /** At the begin an append of so many is on its way, while others wait. */
  flying: number;
  waiting: number;
  ms: number;
}>;

/** Appends one after another, as the lane makes them: when each left, how many it had, and how long those had waited together. */
const appendsOf = ({ crowd, appendMs, asking, flying, waiting, ms }: World) => {
  const appends: { at: number; callers: number; waitedMs: number }[] = [];
  let answered: number[] = [];
  let came: number[] = Array.from({ length: waiting }, () => 0);
  let [inFlight, landsAt] = [flying, appendMs];
  if (flying > 0) crowd.leaves(flying, 0);
  for (let now = 0; now < ms; now += STEP_MS) {
    if (inFlight > 0 && now >= landsAt) {
      crowd.landed(came.length, now);
      answered = answered.concat(Array.from({ length: inFlight }, () => now));
      inFlight = 0;
    }
    const asked = asking(now, answered);
    answered = answered.slice(asked);
    came = came.concat(Array.from({ length: asked }, () => now));
    if (inFlight > 0 || came.length === 0 || crowd.waitMs(came.length, now) > 0) continue;
    crowd.leaves(came.length, now);
    appends.push({ at: now, callers: came.length, waitedMs: came.reduce((sum, at) => sum + now - at, 0) });
    [inFlight, landsAt, came] = [came.length, now + appendMs, []];
  }
  return appends;
};

/** The same callers again and again: they take between so and so long to ask again, one after another. */
const again = (firstMs: number, eachMs: number) => {
  let [askedAt, batchAt] = [0, -1];
  return (now: number, answered: readonly number[]): number => {
    const since = answered[0];
    if (since === undefined) return 0;
    if (since !== batchAt) [batchAt, askedAt] = [since, since + firstMs];
    let asked = 0;
    while (asked < answered.length && answered[asked] === since && askedAt <= now) [asked, askedAt] = [asked + 1, askedAt + eachMs];
    return asked;
  };
};

/** Others each time, so many a millisecond, whenever they are answered. They come unevenly, lest they keep step with the appends. */
const others = (perMs: number) => {
  let [asked, nextAt] = [0, 0];
  return (now: number): number => {
    let due = 0;
    for (; nextAt <= now; nextAt += (0.5 + ((asked * GOLDEN) % 1)) / perMs) [asked, due] = [asked + 1, due + 1];
    return due;
  };
};
const GOLDEN = (Math.sqrt(5) - 1) / 2;

const NOBODY = { leaves: () => undefined, landed: () => undefined, waitMs: () => 0 };
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('a crowd', () => {
  test('is waited for until most of it asks again, and no longer than its patience', () => {
    const crowd = new Crowd();
    crowd.leaves(60, 100);
    crowd.landed(4, 102);
    expect(crowd.waitMs(4, 102)).toBe(12);
    expect(crowd.waitMs(57, 103.5)).toBe(10.5);
    expect(crowd.waitMs(58, 103.5)).toBe(0);
    expect(crowd.waitMs(4, 114)).toBe(0);
    expect(crowd.waitMs(4, 60_000)).toBe(0);
  });

  test('is not waited for where few ask, nor by the first, nor by the many who came while a few were answered', () => {
    expect(new Crowd().waitMs(1, 0)).toBe(0);
    const crowd = new Crowd();
    crowd.leaves(10, 100);
    crowd.landed(5, 102);
    expect(crowd.waitMs(5, 102)).toBe(0);
    crowd.leaves(5, 102);
    crowd.landed(40, 104);
    expect(crowd.waitMs(40, 104)).toBe(0);
  });

  test.each([
    ['at once', 0.5, 0],
    ['within three milliseconds', 1, 0.03],
    ['within nine', 2, 0.1],
  ])('that asks again %s shares its appends, also where two halves of it took turns', (_when, firstMs, eachMs) => {
    const appends = appendsOf({ crowd: new Crowd(), appendMs: 2, asking: again(firstMs, eachMs), flying: 32, waiting: 32, ms: 2_000 });
    const later = appends.filter(({ at }) => at > 100).map(({ callers }) => callers);
    expect(mean(later)).toBeGreaterThan(50);
  });

  test('costs who come by themselves nearly nothing, however many they are', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 20, noNaN: true }),
        fc.double({ min: 0.5, max: 8, noNaN: true }),
        fc.integer({ min: 0, max: 200 }),
        (perMs, appendMs, waiting) => {
          // After a standstill more wait than ever.
          const world = { appendMs, flying: 1, waiting, ms: 2_000 };
          const waited = (crowd: World['crowd']): number => {
            const later = appendsOf({ ...world, asking: others(perMs), crowd }).filter(({ at }) => at > 500);
            return later.reduce((sum, { waitedMs }) => sum + waitedMs, 0) / later.reduce((sum, { callers }) => sum + callers, 0);
          };
          expect(waited(new Crowd())).toBeLessThan(waited(NOBODY) * 1.05 + 0.1);
        },
      ),
      { numRuns: 20, endOnFailure: true, examples: [[0.2, 7.4565425279143875, 193]] },
    );
  });

  test('that comes only when the patience is over is not waited for again', () => {
    const crowd = new Crowd();
    for (let at = 100; at < 200; at += 20) {
      crowd.leaves(20, at);
      crowd.landed(0, at + 2);
      if (at > 160) expect(crowd.waitMs(1, at + 4)).toBe(0);
    }
  });

  test('is counted without those who are refused meanwhile', () => {
    const crowd = new Crowd();
    crowd.leaves(30, 100);
    crowd.landed(20, 102);
    crowd.unchanged(20);
    expect(crowd.waitMs(26, 103)).toBe(11);
    expect(crowd.waitMs(27, 103)).toBe(0);
    crowd.unchanged(20);
    expect(crowd.waitMs(26, 103)).toBe(11);
    crowd.leaves(30, 104);
    crowd.landed(0, 106);
    expect(crowd.waitMs(26, 107)).toBe(11);
  });

  test('that no longer comes is waited for once more', () => {
    const crowd = new Crowd();
    crowd.leaves(64, 100);
    crowd.landed(0, 102);
    expect(crowd.waitMs(1, 103)).toBe(11);
    crowd.leaves(1, 114);
    crowd.landed(0, 116);
    expect(crowd.waitMs(1, 116)).toBe(0);
  });
});
