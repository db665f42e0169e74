import { describe, expect, test } from '@jest/globals';
import { Scenario } from './support/scenario.js';

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

describe('usage that costs something else', () => {
  const tokens = { meter: 'llm.tokens', quantities: { inputTokens: '10' } };
  const rerated = (story: Scenario): readonly unknown[] =>
    story.ledger.events.flatMap(({ type, data }) => (type === 'UsageRerated' ? [`${data.previousCost?.amount} ${data.cost.amount}`] : []));

  test('moves spend by the difference, in its own period, and counts once', async () => {
    const story = begin().budget().use('90', { status: 'failed' }).at('2026-04-02T00:00:00Z').use('1').adjust('40.5', 1);
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '40.5 1 40.5 0', '2026-04-01': '1 1 0 0' });
  });

  test('clears and crosses thresholds, each time as a new episode', async () => {
    const story = begin()
      .budget({ percents: [50, 80] })
      .use('90')
      .adjust('60')
      .adjust('10')
      .adjust('80');
    expect((await story.folded()).said()).toEqual([
      'crossed 50% 1',
      'crossed 80% 1',
      'cleared 80% 1',
      'cleared 50% 1',
      'crossed 50% 2',
      'crossed 80% 2',
    ]);
  });

  test('and is voided afterwards is taken back at what it costs by then; voided before, it is nothing', async () => {
    const story = begin().budget().use('90').adjust('40').void().adjust('7');
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '0 0 0 0' });
  });

  test.each(['before', 'after'])('%s a budget was made is counted by it at what it costs now', async (when) => {
    const story = begin().use('90').use('7');
    if (when === 'before') await story.adjust('40', 1).budget().settled();
    else await (await story.budget().folded()).adjust('40', 1).settled();
    expect(story.balances()).toEqual({ '2026-03-01': '47 2 0 0' });
  });

  test('keeps the exchange rate that it was counted at', async () => {
    const story = begin().budget({ currency: 'EUR' }).rate('USD', 'EUR', '2').use('10').rate('USD', 'EUR', '3').adjust('20');
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '40 1 0 0' });
  });

  test('in another currency waits for its rate, and is counted at the new cost when it comes', async () => {
    const story = begin().budget().use('10').adjust('20', 0, 'EUR');
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '0 0 0 1' });
    expect((await story.rate('EUR', 'USD', '2').settled()).balances()).toEqual({ '2026-03-01': '40 1 0 0' });
    expect([...story.tables.waitingRows]).toEqual([]);
  });

  test('and waited for a price waits no longer; a price that comes later changes nothing', async () => {
    const story = begin().budget().use(null, tokens).adjust('5');
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '5 1 0 0' });
    await story.prices('l', { inputTokens: '1' }).correct('l', { inputTokens: '3' }).settled();
    expect(story.balances()).toEqual({ '2026-03-01': '5 1 0 0' });
    expect(rerated(story)).toEqual(['undefined 5']);
  });

  test('twice within one commit waits, or not, as the second says', async () => {
    const story = begin().budget({ currency: 'EUR' }).use(null, tokens);
    await story.settled();
    await story.adjust('5', 0, 'EUR').adjust('6').settled();
    expect(story.balances()).toEqual({ '2026-03-01': '0 0 0 1' });
    expect((await story.rate('USD', 'EUR', '2').settled()).balances()).toEqual({ '2026-03-01': '12 1 0 0' });
    const other = begin().budget({ currency: 'EUR' }).use('10');
    await other.settled();
    await other.adjust('6').adjust('5', 0, 'EUR').settled();
    expect(other.balances()).toEqual({ '2026-03-01': '5 1 0 0' });
    expect([...other.tables.waitingRows]).toEqual([]);
  });

  test.each(['before', 'after'])('%s the past is counted that says it waits for a rate counts once', async (when) => {
    for (const currency of ['USD', 'EUR']) {
      const story = begin().use('10').budget({ currency: 'EUR' });
      await story.folded();
      if (when === 'before') story.adjust('20', 0, currency);
      await story.driver.count();
      if (when === 'after') story.adjust('20', 0, currency);
      await story.settled();
      await story.rate('USD', 'EUR', '2').settled();
      expect(story.balances()).toEqual({ '2026-03-01': currency === 'USD' ? '40 1 0 0' : '20 1 0 0' });
      expect([...story.tables.waitingRows]).toEqual([]);
    }
  });

  test('that a rate preceded while its past was being counted moves from what that rate made', async () => {
    const story = begin().use('10').budget({ currency: 'EUR' });
    await story.folded();
    await story.rate('USD', 'EUR', '2').adjust('20').driver.count();
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '40 1 0 0' });
  });

  test('of what was set aside stays set aside', async () => {
    const story = begin().budget().use('5').use('99999999999999999999999999').adjust('7');
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '5 1 0 0' });
  });

  test('by a corrected price: what that list rated, whenever; not what another one did, nor what came with its cost', async () => {
    const story = begin().budget({ limit: 1_000 }).prices('old', { inputTokens: '1' }).use(null, tokens).use('100');
    story.prices('new', { inputTokens: '2' }).use(null, tokens).correct('old', { inputTokens: '7' });
    await story.use(null, tokens).settled();
    expect(story.balances()).toEqual({ '2026-03-01': '210 4 0 0' }); // 70, 100, 20, 20
    expect(rerated(story)).toEqual(['10 70']);
  });

  test('by a corrected price, in parts, at once and as a whole; and again', async () => {
    const parts = { meter: 'llm.tokens', quantities: { inputTokens: '10', outputTokens: '10' } };
    const story = begin().budget({ limit: 1_000 }).prices('l', { inputTokens: '1', outputTokens: '1' }).use(null, parts);
    story.correct('l', { inputTokens: '2' }, true).prices('l', { outputTokens: '3' }, undefined, 'PricesAdded');
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '50 1 0 0' });
    expect((await story.correct('l', { inputTokens: '0' }).settled()).balances()).toEqual({ '2026-03-01': '30 1 0 0' });
    expect(rerated(story)).toEqual(['20 50', '50 30']);
  });

  test('by a corrected price that it waited for is charged, and is no rerating', async () => {
    const story = begin().budget().prices('l', { outputTokens: '1' }).use(null, tokens).correct('l', { inputTokens: '2' });
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '20 1 0 0' });
    expect(rerated(story)).toEqual([]);
  });

  test('by a corrected price: a cost that somebody stated stands, before and after, and so does a void', async () => {
    const story = begin()
      .budget()
      .prices('l', { inputTokens: '1' })
      .use(null, tokens)
      .use(null, tokens)
      .use(null, tokens)
      .use(null, tokens);
    await story.adjust('3', 3).void(2).correct('l', { inputTokens: '2' }).adjust('4', 1).settled();
    expect(story.balances()).toEqual({ '2026-03-01': '27 3 0 0' });
  });

  test('that was on its way with the old price while it was corrected costs the new one', async () => {
    const story = begin().budget().prices('l', { inputTokens: '1' }).correct('l', { inputTokens: '2' });
    story.use(null, { ...tokens, rated: { amount: '10', currency: 'USD' }, ratedAt: 2 });
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '20 1 0 0' });
    expect(rerated(story)).toEqual([]);
  });

  test('is said the same by whoever dies and begins again, and by a rebuild', async () => {
    const story = begin().budget().prices('l', { inputTokens: '1' });
    for (let n = 0; n < 700; n += 1) story.use(null, tokens);
    await (await story.correct('l', { inputTokens: '2' }).folded()).driver.rerate();
    const told = story.ledger.events.length;
    story.driver.crash();
    await story.driver.rerate();
    expect(story.ledger.events.length).toBe(told);
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '14000 700 0 0' });
    expect(await story.tables.priceCorrections()).toEqual([]);
  });
});

describe('a void', () => {
  test('takes back exactly what was charged, failed usage too, and leaves the period its row', async () => {
    const story = begin().budget().use('90').use('7', { status: 'failed' }).void();
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '90 1 0 0' });
    expect((await story.void(1).settled()).balances()).toEqual({ '2026-03-01': '0 0 0 0' });
  });

  test('that brings spend back under a threshold clears it; reached again it is a new episode', async () => {
    const story = begin()
      .budget({ percents: [50, 80] })
      .use('60')
      .use('30')
      .void();
    expect((await story.folded()).said()).toEqual(['crossed 50% 1', 'crossed 80% 1', 'cleared 80% 1']);
    expect((await story.use('30').folded()).said().slice(3)).toEqual(['crossed 80% 2']);
  });

  test('clears in a closed period too, by the limit it lived under', async () => {
    const story = begin()
      .budget({ percents: [80] })
      .use('90')
      .at('2026-04-02T00:00:00Z')
      .change({ percents: [80], limit: 10 });
    expect((await story.void().folded()).said()).toEqual(['crossed 80% 1', 'cleared 80% 1']);
  });

  test('is charged by the tree in which its usage arrived', async () => {
    const story = begin()
      .budget({ scope: 'team:ml' })
      .scope('user:a', ['team:ml'])
      .use('5', { scopes: ['user:a'] })
      .scope('user:a', ['team:ops'], 'ScopeMoved')
      .void();
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '0 0 0 0' });
  });

  test('takes back the amount that was converted then, whatever the rate is now', async () => {
    const story = begin().budget({ currency: 'EUR' }).rate('USD', 'EUR', '2').use('10').rate('USD', 'EUR', '3').void();
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '0 0 0 0' });
  });

  test.each([
    { what: 'a price', use: { meter: 'llm.tokens', quantities: { inputTokens: '3' } }, amount: null, currency: 'USD' as const },
    { what: 'a rate', use: {}, amount: '10', currency: 'EUR' as const },
  ])('of usage that waits for $what ends the waiting for good', async ({ use, amount, currency }) => {
    const story = begin().budget({ currency }).use(amount, use).void();
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '0 0 0 0' });
    await story.prices('late', { inputTokens: '1' }).rate('USD', 'EUR', '2').settled();
    expect(story.balances()).toEqual({ '2026-03-01': '0 0 0 0' });
    expect([...story.tables.waitingRows]).toEqual([]);
  });

  test('before a budget was made is in its count, and after it is not counted twice', async () => {
    const story = begin().use('90').use('7').use('1').void(2).budget();
    await story.folded();
    await story.void(1).settled();
    expect(story.balances()).toEqual({ '2026-03-01': '1 1 0 0' });
  });

  test.each(['before', 'after'])('%s the past is counted that waits for a rate leaves nothing that waits', async (when) => {
    const story = begin().use('10').budget({ currency: 'EUR' });
    await story.folded();
    if (when === 'before') story.void();
    await story.driver.count();
    if (when === 'after') story.void();
    await story.settled();
    await story.rate('USD', 'EUR', '2').settled();
    expect(story.balances()).toEqual({ '2026-03-01': '0 0 0 0' });
    expect([...story.tables.waitingRows]).toEqual([]);
  });

  test('that a rate preceded while the past was being counted takes back what that rate made', async () => {
    const story = begin().use('10').budget({ currency: 'EUR' });
    await story.folded();
    await story.rate('USD', 'EUR', '2').void().driver.count();
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '0 0 0 0' });
    expect([...story.tables.waitingRows]).toEqual([]);
  });

  test('that a rate followed while the past was being counted takes back nothing', async () => {
    const story = begin().use('10').budget({ currency: 'EUR' });
    await story.folded();
    await story.void().rate('USD', 'EUR', '2').driver.count();
    expect((await story.settled()).balances()).toEqual({ '2026-03-01': '0 0 0 0' });
    expect([...story.tables.waitingRows]).toEqual([]);
  });

  test('before its budget was made leaves nothing that waits for a rate', async () => {
    const story = begin().use('10').void().budget({ currency: 'EUR' });
    await story.settled();
    expect(story.ledger.events.at(-1)?.data).toMatchObject({ waitingForRate: [], periods: [{ spend: '0', events: 0, waiting: 0 }] });
    expect((await story.rate('USD', 'EUR', '2').settled()).balances()).toEqual({ '2026-03-01': '0 0 0 0' });
    expect([...story.tables.waitingRows]).toEqual([]);
  });

  test('of usage that was set aside takes back nothing', async () => {
    const most = '99999999999999999999999999';
    const story = begin().budget().use('5').use(most).void();
    await story.settled();
    expect(story.balances()).toEqual({ '2026-03-01': '5 1 0 0' });
  });
});

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
