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
        const done = works.map((fails, who) => slots.take(() => work(who, fails)).catch(() => 'failed'));
        expect(await scheduler.waitFor(Promise.all(done))).toEqual(works.map((fails) => (fails ? 'failed' : 'done')));
        expect(begun).toEqual(works.map((_, who) => who));
      },
    ),
  ));
