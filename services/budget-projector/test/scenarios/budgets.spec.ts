import { describe, expect, test } from '@jest/globals';
import { Scenario } from '../support/scenario.js';

const begin = () => new Scenario();

describe('a budget', () => {
  test('made after its usage counts what happened, decides nothing before that, and then all at once', async () => {
    const story = begin()
      .use('90')
      .budget({ percents: [50, 80, 160] })
      .use('60');
    expect((await story.folded()).said()).toEqual([]);
    expect((await story.settled()).said()).toEqual(['crossed 50% 1', 'crossed 80% 1']);
    expect(story.balances()).toEqual({ '2026-03-01': '150 2 0 0' });
  });

  test('of a tenant without usage is counted at once', async () => {
    const story = await begin()
      .budget({ percents: [80] })
      .use('90')
      .folded();
    expect([...story.tables.budgets.values()].map(({ counted }) => counted)).toEqual([1]);
    expect(story.said()).toEqual(['crossed 80% 1']);
  });

  test('counts periods before its creation, and judges none of them', async () => {
    const story = begin()
      .use('90', { occurredAt: '2026-02-20T00:00:00Z' })
      .budget({ percents: [80] });
    expect((await story.settled()).said()).toEqual([]);
    expect(story.balances()).toEqual({ '2026-02-01': '90 1 0 0' });
  });

  test('moved to another scope counts that one, from the first usage on', async () => {
    const story = begin()
      .budget({ percents: [80] })
      .use('90')
      .use('7', { scopes: ['team:ops'] })
      .change({ percents: [80], scope: 'team:ops' });
    await story
      .use('1', { scopes: ['team:ops'] })
      .use('5')
      .settled();
    expect(story.balances()).toEqual({ '2026-03-01': '8 2 0 0' });
    expect(story.said()).toEqual(['crossed 80% 1', 'cleared 80% 1']);
  });

  test('redefined while its past is being counted takes no older count', async () => {
    const story = begin()
      .use('90')
      .use('7', { scopes: ['team:ops'] })
      .budget();
    await story.folded();
    await story.driver.count();
    await story.change({ scope: 'team:ops' }).settled();
    expect(story.balances()).toEqual({ '2026-03-01': '7 1 0 0' });
  });

  test('of one period counts nothing outside it', async () => {
    const period = {
      kind: 'custom',
      timezone: 'UTC',
      start: '2026-03-05T00:00:00Z',
      end: '2026-03-06T00:00:00Z',
      recurring: false,
    } as const;
    const story = begin().budget({}, { period });
    for (const occurredAt of [
      '2026-03-04T23:59:59.999999999Z',
      '2026-03-05T00:00:00Z',
      '2026-03-05T23:59:59.999999999Z',
      '2026-03-06T00:00:00Z',
    ]) {
      story.use('1', { occurredAt });
    }
    await story.folded();
    expect(story.balances()).toEqual({ '2026-03-05': '2 2 0 0' });
  });

  test('is charged once where several paths lead to it, and by the tree in force where the usage arrived', async () => {
    const story = begin().scope('team:ml', ['org:x']).scope('team:ops', ['org:x']).budget({ scope: 'org:x' });
    story
      .use('1', { scopes: ['team:ml', 'team:ops'] })
      .scope('team:ml', ['org:y'], 'ScopeMoved')
      .use('10');
    await story.use('100', { scopes: ['team:ops'], occurredAt: '2026-03-01T00:00:00Z' }).folded();
    expect(story.balances()).toEqual({ '2026-03-01': '101 2 0 0' });
  });

  test('shows failed usage apart, and in its spend', async () => {
    const story = await begin().budget().use('3').use('2', { status: 'failed' }).use('0').folded();
    expect(story.balances()).toEqual({ '2026-03-01': '5 3 2 0' });
  });
});

describe('an allocated cost', () => {
  const third = {
    allocation: [
      { scope: 'team:ml', percent: '66.67' },
      { scope: 'team:ops', percent: '33.33' },
    ],
  };

  test('is charged by its share, and whole above', async () => {
    const story = begin().budget().use('10', third);
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '6.667 1 0 0' });
    expect((await story.change({ scope: 'tenant:acme' }).settled()).balances()).toEqual({ '2026-03-01': '10 1 0 0' });
  });

  test('is split after it is converted, also when its rate comes late, and taken back so', async () => {
    const story = begin().budget({ currency: 'EUR' }).use('0.000000000001', third).rate('USD', 'EUR', '3');
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '0.000000000002 1 0 0' });
    expect((await story.void().settled()).balances()).toEqual({ '2026-03-01': '0 0 0 0' });
  });

  test('is the same for a budget made later, whose rate comes later still', async () => {
    const story = begin().use('0.000000000001', third).budget({ currency: 'EUR' });
    await story.settled();
    expect((await story.rate('USD', 'EUR', '3').settled()).balances()).toEqual({ '2026-03-01': '0.000000000002 1 0 0' });
  });

  test('crosses a threshold by the share', async () => {
    const story = begin()
      .budget({ percents: [50] })
      .use('74.9', third)
      .use('0.1', third);
    expect((await story.folded()).said()).toEqual(['crossed 50% 1']);
  });

  test('is rolled up by its share for each scope, as one event', async () => {
    const story = await begin().use('10', third).settled();
    const cells = [...story.tables.rollups].map(([id, { spend, events }]) => [id.split('\u0000')[1], spend, events]);
    expect(cells.toSorted()).toEqual([
      ['team:ml', 6_667_000_000_000n, 1],
      ['team:ops', 3_333_000_000_000n, 1],
      ['tenant:acme', 10_000_000_000_000n, 1],
    ]);
  });
});
