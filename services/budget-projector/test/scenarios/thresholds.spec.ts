import { describe, expect, test } from '@jest/globals';
import { Scenario } from '../support/scenario.js';

const begin = () => new Scenario();

describe('a threshold', () => {
  test('is reached at exactly its percentage, and not a pico before', async () => {
    const story = begin()
      .budget({ percents: [80] })
      .use('79.999999999999');
    expect((await story.folded()).said()).toEqual([]);
    expect((await story.use('0.000000000001').folded()).said()).toEqual(['crossed 80% 1']);
  });

  test.each([
    { limit: 3, percent: 50, before: '1.499999999999', after: '0.000000000001' },
    { limit: 7, percent: 1, before: '0.069999999999', after: '0.000000000001' },
  ])('$percent % of $limit is reached exactly, whatever does not divide', async ({ limit, percent, before, after }) => {
    const story = begin()
      .budget({ limit, percents: [percent] })
      .use(before);
    expect((await story.folded()).said()).toEqual([]);
    expect((await story.use(after).folded()).said()).toEqual([`crossed ${percent}% 1`]);
  });

  test('all that one usage jumps over are crossed, lowest first', async () => {
    const story = begin()
      .budget({ percents: [100, 50, 80], amount: 15 })
      .use('120');
    expect((await story.folded()).said()).toEqual(['crossed amount:15 1', 'crossed 50% 1', 'crossed 80% 1', 'crossed 100% 1']);
  });

  test('cleared by a raise and reached again is a new episode; an edit that leaves it crossed says nothing', async () => {
    const story = begin()
      .budget({ percents: [80] })
      .use('90');
    story
      .change({ percents: [80], limit: 110 })
      .change({ percents: [80], limit: 1_000 })
      .use('800');
    expect((await story.folded()).said()).toEqual(['crossed 80% 1', 'cleared 80% 1', 'crossed 80% 2']);
  });

  test('added when it is already reached crosses at once', async () => {
    const story = begin()
      .budget({ percents: [80] })
      .use('90')
      .change({ percents: [80, 85, 95] });
    expect((await story.folded()).said()).toEqual(['crossed 80% 1', 'crossed 85% 1']);
  });

  test('that was removed is forgotten without a word, and its episodes go on', async () => {
    const story = begin()
      .budget({ percents: [80] })
      .use('90')
      .change({ percents: [] })
      .change({ percents: [80] });
    expect((await story.folded()).said()).toEqual(['crossed 80% 1', 'crossed 80% 2']);
  });

  test('of a limit of zero is reached by any spend and by nothing else', async () => {
    const story = begin()
      .budget({ limit: 0, percents: [80], amount: 15 })
      .use('0');
    expect((await story.folded()).said()).toEqual([]);
    expect((await story.use('0.000000000001').folded()).said().toSorted()).toEqual(['crossed 80% 1', 'crossed amount:15 1']);
  });

  test('of an unlimited budget is reached by amount only', async () => {
    const story = begin()
      .budget({ limit: null, percents: [80], amount: 15 })
      .use('1000000');
    expect((await story.folded()).said()).toEqual(['crossed amount:15 1']);
  });

  test('is armed anew in each period', async () => {
    const story = begin()
      .budget({ percents: [80] })
      .use('90')
      .at('2026-04-01T00:00:00Z')
      .use('90');
    expect((await story.folded()).said()).toEqual(['crossed 80% 1', 'crossed 80% 1']);
  });

  test('of a closed period is judged by the limit it lived under', async () => {
    const story = begin()
      .budget({ percents: [80] })
      .use('70')
      .at('2026-04-02T00:00:00Z')
      .change({ percents: [80], limit: 1_000 });
    story.use('9', { occurredAt: '2026-03-31T23:59:59Z' });
    expect((await story.folded()).said()).toEqual([]);
    story.use('1', { occurredAt: '2026-03-31T23:59:59Z' }).change({ percents: [80], limit: 10_000 });
    expect((await story.folded()).said()).toEqual(['crossed 80% 1']);
  });
});
