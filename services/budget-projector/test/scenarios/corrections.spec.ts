import { describe, expect, test } from '@jest/globals';
import { Scenario } from '../support/scenario.js';

const begin = () => new Scenario();

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
