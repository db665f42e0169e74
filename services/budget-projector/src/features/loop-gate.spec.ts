import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LoopGate } from './loop-gate.js';

const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one passes per turn of the event loop, in the order they came, and each does', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }), async (arrivals) => {
      const gate = new LoopGate();
      const passed: number[] = [];
      let inThisTurn = 0;
      let came = 0;
      const counting = setInterval(() => undefined, 1_000_000);
      const walks: Promise<void>[] = [];
      const walk = async (who: number): Promise<void> => {
        await gate.pass();
        inThisTurn += 1;
        passed.push(who);
      };
      for (const number of [...arrivals, ...Array.from({ length: arrivals.length * 4 }, () => 0)]) {
        for (let n = 0; n < number; n += 1) walks.push(walk(came++));
        await turnOfLoop();
        expect(inThisTurn).toBeLessThanOrEqual(2);
        inThisTurn = 0;
      }
      clearInterval(counting);
      await Promise.all(walks);
      expect(passed).toEqual(Array.from({ length: came }, (_, who) => who));
    }),
  ));

test('nobody waits at a gate through which nobody went', async () => {
  const gate = new LoopGate();
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  await gate.pass();
  expect(turned).toBe(false);
});

test('a timer that is due comes in between two that pass', async () => {
  const gate = new LoopGate();
  const seen: string[] = [];
  const pass = async (who: string): Promise<void> => {
    await gate.pass();
    seen.push(who);
    // As long as a portion takes: the timer is due by then.
    for (const until = performance.now() + 3; performance.now() < until; );
  };
  const timer = new Promise<void>((resolve) => {
    setTimeout(() => {
      seen.push('timer');
      resolve();
    }, 1);
  });
  await Promise.all([pass('a'), pass('b'), pass('c'), pass('d'), timer]);
  expect(seen.indexOf('timer')).toBeLessThan(seen.indexOf('d'));
});
