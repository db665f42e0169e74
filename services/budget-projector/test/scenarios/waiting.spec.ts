import { describe, expect, test } from '@jest/globals';
import { Scenario } from '../support/scenario.js';

const begin = () => new Scenario();

describe('usage that waits', () => {
  const tokens = { meter: 'llm.tokens', quantities: { inputTokens: '100', cacheReadTokens: '60' } };

  test('for a price is never zero, and is charged when one comes', async () => {
    const story = begin()
      .budget({ percents: [50] })
      .use(null, tokens);
    expect((await story.folded()).balances()).toEqual({ '2026-03-01': '0 0 0 1' });
    expect((await story.prices('l', { inputTokens: '1' }).folded()).balances()).toEqual({ '2026-03-01': '100 1 0 0' });
    expect(story.said()).toEqual(['crossed 50% 1']);
  });

  test('is not priced by half a list', async () => {
    const story = begin().budget().use(null, tokens).prices('l', { inputTokens: '1' }, true);
    expect((await story.folded()).balances()).toEqual({ '2026-03-01': '0 0 0 1' });
    story.prices('l', { cacheReadTokens: '0.1' }, undefined, 'PricesAdded');
    expect((await story.folded()).balances()).toEqual({ '2026-03-01': '46 1 0 0' });
  });

  test('is priced by the whole list also where a later budget counts it, and in the breakdown', async () => {
    const story = begin()
      .use(null, tokens)
      .prices('l', { inputTokens: '1' }, true)
      .prices('l', { cacheReadTokens: '0.1' }, undefined, 'PricesAdded');
    await story.budget().settled();
    expect(story.balances()).toEqual({ '2026-03-01': '46 1 0 0' });
    const spent = [...story.tables.rollups].filter(([id]) => id.includes('tenant:acme')).map(([, { spend }]) => spend);
    expect(spent.reduce((sum, spend) => sum + spend, 0n)).toBe(46_000_000_000_000n);
  });

  test('for a rate waits in the budgets of that currency alone, and is charged once by the first that covers it', async () => {
    const story = begin().budget({ currency: 'EUR' }).use('10');
    expect((await story.folded()).balances()).toEqual({ '2026-03-01': '0 0 0 1' });
    await story.rate('USD', 'EUR', '0.9').rate('USD', 'EUR', '0.5').folded();
    expect(story.balances()).toEqual({ '2026-03-01': '9 1 0 0' });
  });

  test('for a price and then for a rate waits all the way', async () => {
    const story = begin().budget({ currency: 'EUR' }).use(null, tokens).prices('l', { inputTokens: '1' });
    expect((await story.folded()).balances()).toEqual({ '2026-03-01': '0 0 0 1' });
    expect((await story.rate('EUR', 'USD', '2').folded()).balances()).toEqual({ '2026-03-01': '50 1 0 0' });
  });

  test('is found by a budget made later, and charged to it by the rate that comes before its count is in', async () => {
    const story = begin().use('10').use('20', { occurredAt: '2026-02-01T00:00:00Z' }).budget({ currency: 'EUR' });
    await story.folded();
    await story.rate('USD', 'EUR', '0.5').folded();
    expect((await story.settled()).balances()).toEqual({ '2026-02-01': '10 1 0 0', '2026-03-01': '5 1 0 0' });
  });
});
