import { describe, expect, test } from '@jest/globals';
import { Scenario } from '../support/scenario.js';

const begin = () => new Scenario();

describe('an override', () => {
  const crossed = () =>
    begin()
      .budget({ percents: [80] })
      .use('90');

  test('clears what it brings spend under, and revoking it crosses again', async () => {
    const story = crossed().grant('o', '100', '2026-03-20T00:00:00Z');
    expect((await story.folded()).said()).toEqual(['crossed 80% 1', 'cleared 80% 1']);
    expect((await story.revoke('o').folded()).said()).toEqual(['crossed 80% 1', 'cleared 80% 1', 'crossed 80% 2']);
  });

  test('is over by the clock: the next event of the budget finds the limit as it was', async () => {
    const story = crossed().grant('o', '100', '2026-03-20T00:00:00Z').at('2026-03-19T23:59:59.999Z').use('0');
    expect((await story.folded()).said()).toEqual(['crossed 80% 1', 'cleared 80% 1']);
    expect((await story.at('2026-03-20T00:00:00Z').use('0').folded()).said()).toEqual(['crossed 80% 1', 'cleared 80% 1', 'crossed 80% 2']);
  });

  test('says with a crossing the limit that was in force', async () => {
    const story = begin()
      .budget({ percents: [80] })
      .grant('o', '100', '2026-03-20T00:00:00Z')
      .use('160');
    const [said] = (await story.folded()).ledger.events.filter(({ type }) => type === 'ThresholdCrossed');
    expect(said?.data).toMatchObject({ limit: '200', percentUsed: '80.00', spend: '160' });
  });

  test('that was live at the end of a period judges what comes late, and one granted afterwards does not', async () => {
    const late = { occurredAt: '2026-03-31T23:00:00Z' };
    const story = begin()
      .budget({ percents: [80] })
      .grant('o', '100', '2026-04-10T00:00:00Z')
      .at('2026-04-12T00:00:00Z')
      .use('90', late);
    expect((await story.folded()).said()).toEqual([]);
    story.at('2026-04-13T00:00:00Z').grant('p', '1000', '2026-05-01T00:00:00Z').use('70', late);
    expect((await story.folded()).said()).toEqual(['crossed 80% 1']);
  });
});

test('a pause and a resumption change no figure and say nothing of thresholds', async () => {
  const story = begin()
    .budget({ percents: [80] })
    .use('90')
    .control('BudgetPaused')
    .use('5')
    .control('BudgetResumed');
  expect((await story.folded()).said()).toEqual(['crossed 80% 1']);
  expect(story.balances()).toEqual({ '2026-03-01': '95 2 0 0' });
});

describe('a budget with autoPause', () => {
  const breaker = { enforcement: { mode: 'block' as const, blockAtPercent: 110, autoPause: true } };
  const paused = (story: Scenario) =>
    story.ledger.events.flatMap((event) =>
      event.type === 'BudgetPaused' && event.data.automatic !== undefined
        ? [
            `${event.stream.split('-')[0]} ${event.data.automatic.episode} at ${event.data.automatic.spend} of ${event.data.automatic.blockPoint}`,
          ]
        : [],
    );
  const latching = () => begin().budget({ kind: 'daily' }, breaker);

  test('latches once when the spend of its period reaches the block point, in what the projector emits', async () => {
    const story = latching().use('109');
    expect(paused(await story.folded())).toEqual([]);
    story.use('1').use('50');
    expect(paused(await story.folded())).toEqual(['balance 1 at 110 of 110']);
  });
  test('stays latched though the spend falls back and rises again', async () => {
    const story = latching().use('200');
    await story.folded();
    expect(paused(await story.void().use('300').folded())).toHaveLength(1);
  });
  test('once resumed, latches again only after the spend was below', async () => {
    const story = latching().use('110');
    await story.folded();
    await story.control('BudgetResumed').use('5').folded();
    expect(paused(story)).toHaveLength(1);
    // A raise arms it; the higher block point is another one to reach.
    await story.change({ kind: 'daily', limit: 200 }, breaker).use('105').folded();
    expect(paused(story)).toEqual(['balance 1 at 110 of 110', 'balance 2 at 220 of 220']);
  });
  test('latches by late usage of an ended period never, and in the next period anew', async () => {
    const story = latching().use('50').at('2026-03-11T12:00:00Z').use('500', { occurredAt: '2026-03-10T00:00:00Z' });
    expect(paused(await story.folded())).toEqual([]);
    expect(paused(await story.use('110').at('2026-03-12T00:00:00Z').use('110').folded())).toHaveLength(2);
  });
  test('an override that ends brings it back to the block point: by the next event', async () => {
    const story = latching().grant('o', '100', '2026-03-10T06:00:00Z').use('150');
    expect(paused(await story.folded())).toEqual([]);
    expect(paused(await story.at('2026-03-10T06:00:00Z').use('0').folded())).toEqual(['balance 1 at 150 of 110']);
  });
  test('says nothing while it only notifies, or is not asked to', async () => {
    for (const enforcement of [
      { ...breaker.enforcement, mode: 'notify' as const },
      { ...breaker.enforcement, autoPause: false },
    ]) {
      expect(paused(await begin().budget({ kind: 'daily' }, { enforcement }).use('500').folded())).toEqual([]);
    }
  });
  test('usage ahead of the clock trips the breaker of its period once that has begun', async () => {
    const story = latching().at('2026-03-10T23:58:00Z').use('150', { occurredAt: '2026-03-11T00:01:00Z' });
    expect(paused(await story.folded())).toEqual([]);
    expect(paused(await story.at('2026-03-11T00:00:30Z').use('0').folded())).toHaveLength(1);
  });
  test('leaves the revision and the time of the budget’s own last change alone', async () => {
    const story = latching().use('110');
    await story.folded();
    expect([...story.tables.budgets.values()]).toMatchObject([
      {
        row: {
          revision: 0,
          updatedAt: '2026-03-10T00:00:00.000000Z',
          state: { controls: { automatic: { periodStart: '2026-03-10T00:00:00Z' } } },
        },
      },
    ]);
  });
});

describe('rollover', () => {
  const unused = { rollover: { mode: 'unused' as const } };
  const debt = { rollover: { mode: 'debt' as const } };

  test('of what is left over raises the limit that the next period is judged by', async () => {
    const story = begin()
      .budget({ percents: [80] }, unused)
      .use('40')
      .at('2026-04-02T00:00:00Z')
      .use('127');
    expect((await story.folded()).said()).toEqual([]);
    expect((await story.use('1').folded()).said()).toEqual(['crossed 80% 1']);
    expect(story.ledger.events.at(-1)?.data).toMatchObject({ limit: '160', percentUsed: '80.00', periodStart: '2026-04-01T00:00:00Z' });
  });

  test('of a debt lowers it', async () => {
    const story = begin()
      .budget({ percents: [80] }, debt)
      .use('150')
      .at('2026-04-02T00:00:00Z')
      .use('40');
    expect((await story.folded()).said()).toEqual(['crossed 80% 1', 'crossed 80% 1']);
    expect(story.ledger.events.at(-1)?.data).toMatchObject({ limit: '50', percentUsed: '80.00' });
  });

  test('follows late usage: the next event of the period is judged by what is left then', async () => {
    const story = begin()
      .budget({ percents: [80] }, unused)
      .at('2026-04-02T00:00:00Z')
      .use('150')
      .use('20', { occurredAt: '2026-03-31T00:00:00Z' });
    expect((await story.folded()).said()).toEqual([]);
    expect((await story.use('0').folded()).said()).toEqual(['crossed 80% 1']);
  });

  test('reaches into periods before that saw nothing, and goes by the limit they ended with', async () => {
    const story = begin()
      .budget({ percents: [80] }, unused)
      .at('2026-05-02T00:00:00Z')
      .change({ percents: [80], limit: 200 }, unused)
      .use('319.5');
    expect((await story.folded()).said()).toEqual([]);
    expect((await story.use('0.5').folded()).said()).toEqual(['crossed 80% 1']);
  });

  test('that is switched on or off judges the open period again', async () => {
    const story = begin()
      .budget({ percents: [80] }, unused)
      .at('2026-04-02T00:00:00Z')
      .use('100')
      .change({ percents: [80] });
    // March was closed by the terms it had: it carries on.
    expect((await story.folded()).said()).toEqual([]);
    story.at('2026-05-02T00:00:00Z').use('80');
    expect((await story.folded()).said()).toEqual(['crossed 80% 1']);
  });

  test('of a budget made later is there once its past has been counted', async () => {
    const story = begin()
      .use('90')
      .budget({ percents: [80] }, debt)
      .at('2026-04-02T00:00:00Z')
      .use('30');
    expect((await story.settled()).said()).toEqual(['crossed 80% 1']);
    expect((await story.use('50').folded()).said()).toEqual(['crossed 80% 1', 'crossed 80% 1']);
  });
});
