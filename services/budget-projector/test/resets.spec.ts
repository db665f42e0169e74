import { describe, expect, test } from '@jest/globals';
import { Driver } from './support/driver.js';
import { MemoryTables } from './support/memory-tables.js';
import { Scenario } from './support/scenario.js';

const begin = () => new Scenario();
/** `start…end spend`, oldest first. */
const rows = ({ tables }: Scenario): readonly string[] =>
  [...tables.balances.values()].map(({ periodStart, periodEnd, spend }) => `${periodStart}…${periodEnd} ${spend}`).sort();

describe('a reset by hand', () => {
  const story = () =>
    begin()
      .budget({ percents: [80] })
      .use('90')
      .at('2026-03-15T12:00:00Z')
      .reset();

  test('resets wiping #22013 #34270: keeps what was folded before in the old period, and opens one that has nothing', async () => {
    const told = await story().use('85').settled();
    const [, , , reset] = told.ledger.events.map(({ recordedAt }) => recordedAt);
    expect(rows(told)).toHaveLength(2);
    expect(rows(told)[0]).toMatch(/^2026-03-01T00:00:00Z…2026-03-15T12:00:\S+ 90$/);
    expect(rows(told)[1]).toMatch(/^2026-03-15T12:00:\S+…2026-04-01T00:00:00Z 85$/);
    expect(reset).toBeDefined();
    // Armed anew: a period is a key.
    expect(told.said()).toEqual(['crossed 80% 1', 'crossed 80% 1']);
  });

  test('usage goes by where it is in the ledger: ahead of the clock before the reset, late after it', async () => {
    const told = begin()
      .budget()
      .at('2026-03-15T12:00:00Z')
      .use('1', { occurredAt: '2026-03-15T12:04:00Z' })
      .reset()
      .use('20', { occurredAt: '2026-03-15T12:04:00Z' })
      .use('300', { occurredAt: '2026-03-14T00:00:00Z' });
    expect(rows(await told.settled()).map((row) => row.split(' ')[1])).toEqual(['301', '20']);
    // Voiding takes each from where it was counted.
    expect(rows(await told.void(2).settled()).map((row) => row.split(' ')[1])).toEqual(['300', '20']);
    expect(rows(await told.void(1).settled()).map((row) => row.split(' ')[1])).toEqual(['300', '0']);
  });

  test('a budget that is counted anew afterwards comes to the same', async () => {
    const told = begin()
      .budget({ scope: 'team:ops' })
      .at('2026-03-15T12:00:00Z')
      .use('1', { occurredAt: '2026-03-15T12:04:00Z' })
      .reset()
      .use('20')
      .change({ scope: 'team:ml' });
    expect(rows(await told.settled()).map((row) => row.split(' ')[1])).toEqual(['1', '20']);
  });

  test('says that the old period changed after its end, for whoever states it', async () => {
    const told = await story().use('2').use('1', { occurredAt: '2026-03-12T00:00:00Z' }).settled();
    const last = told.ledger.events.findLast(({ type }) => type === 'UsageRecorded');
    expect([...told.tables.late.values()]).toMatchObject([{ periodStart: '2026-03-01T00:00:00Z', position: last?.position }]);
  });

  test('a rebuild comes to the same rows', async () => {
    const told = await story().use('85').reset().use('1').use('3', { occurredAt: '2026-03-02T00:00:00Z' }).void(1).settled();
    const rebuilt = new MemoryTables();
    await new Driver(rebuilt, told.ledger).settle();
    expect(rebuilt.digest()).toEqual(told.tables.digest());
  });
});

test('the end of a grant judges again what it had covered', async () => {
  const told = begin()
    .budget({ percents: [80] })
    .grant('o', '100', '2026-03-12T00:00:00Z')
    .use('90');
  expect((await told.settled()).said()).toEqual([]);
  await told.at('2026-03-12T00:00:01Z').expired('o', '2026-03-12T00:00:00Z').settled();
  expect(told.said()).toEqual(['crossed 80% 1']);
});
