import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Slots } from './slots.js';

test('never more at once than there are slots, never fewer while somebody waits, in the order they came, whoever fails', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.scheduler(),
      async (most, works, scheduler) => {
        const slots = new Slots(most);
        const begun: number[] = [];
        let running = 0;
        let left = works.length;
        const work = async (who: number, fails: boolean): Promise<string> => {
          begun.push(who);
          running += 1;
          expect(running).toBeLessThanOrEqual(most);
          await scheduler.schedule(Promise.resolve());
          expect(running).toBe(Math.min(most, left));
          running -= 1;
          left -= 1;
          if (fails) throw new Error('failed');
          return 'done';
        };
        const done = works.map((fails, who) => slots.run(() => work(who, fails)).catch(() => 'failed'));
        expect(await scheduler.waitFor(Promise.all(done))).toEqual(works.map((fails) => (fails ? 'failed' : 'done')));
        expect(begun).toEqual(works.map((_, who) => who));
      },
    ),
  ));

test('nobody waits behind one who comes again and again', async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const comesAgain = async (): Promise<void> => {
    for (let turn = 1; turn <= 4; turn += 1) await slots.run(async () => void order.push(`busy ${turn}`));
  };
  const comesOnce = (): Promise<void> => slots.run(async () => void order.push('lone'));
  await Promise.all([comesAgain(), comesOnce()]);
  expect(order.indexOf('lone')).toBeLessThanOrEqual(1);
});

test('as many at once as there are, also after one has failed', async () => {
  const slots = new Slots(2);
  let working = 0;
  let most = 0;
  const work = async (fails: boolean): Promise<void> => {
    working += 1;
    most = Math.max(most, working);
    await new Promise((resolve) => setImmediate(resolve));
    working -= 1;
    if (fails) throw new Error('it fails');
  };
  const all = Array.from({ length: 6 }, (_, index) => slots.run(() => work(index === 1)));
  expect((await Promise.allSettled(all)).filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(most).toBe(2);
});
