import { expect, test } from '@jest/globals';
import { PATIENCE, Watchdog } from './watchdog.js';

/** Ticks once a second from second `from` to `to`, behind all the time; what was said, and when. */
const ticks = (watchdog: Watchdog, from: number, to: number, isBehind = true): readonly string[] => {
  const said: string[] = [];
  for (let second = from; second <= to; second += 1) {
    const what = watchdog.tick(second * 1_000, isBehind);
    if (what !== null) said.push(`${what} at ${second}`);
  }
  return said;
};

test('F15: behind without a sign of life it is revived at 10 s, once, and given up at 60 s', () => {
  expect(ticks(new Watchdog(PATIENCE), 0, 60)).toEqual(['revive at 10', 'give up at 60']);
});

test('F15: a sign of life begins anew', () => {
  const watchdog = new Watchdog(PATIENCE);
  expect(ticks(watchdog, 0, 55)).toEqual(['revive at 10']);
  watchdog.alive();
  expect(ticks(watchdog, 56, 110)).toEqual(['revive at 65']);
});

test('F15: who is not behind may do nothing for ever', () => {
  const watchdog = new Watchdog(PATIENCE);
  expect(ticks(watchdog, 0, 1_000, false)).toEqual([]);
  expect(ticks(watchdog, 1_001, 1_009)).toEqual([]);
});

test('F15: a process that was frozen for an hour is given its time on waking', () => {
  const watchdog = new Watchdog(PATIENCE);
  expect(ticks(watchdog, 0, 5)).toEqual([]);
  expect(watchdog.tick(3_605_000, true)).toBeNull();
  expect(ticks(watchdog, 3_606, 3_607)).toEqual([]);
});
