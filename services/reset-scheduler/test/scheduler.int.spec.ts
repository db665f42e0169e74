import { setTimeout as delay } from 'node:timers/promises';
import { type EventOf, type PeriodDefinition, parseInstant } from '@bursar/contracts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { BUDGET, TENANT } from './support/events.js';
import { command, eventually, makeBudget, type Process, said, saidOf, startWorld, use, type World } from './support/world.js';

const SHORT: PeriodDefinition = { kind: 'rolling', length: '2s', timezone: 'UTC', recurring: true };
/** Long enough to be used before it is over, on a machine that stalls. */
const LONGER: PeriodDefinition = { ...SHORT, length: '5s' };
/** No period of it ends during a test. */
const LONG: PeriodDefinition = { kind: 'rolling', length: '3600s', timezone: 'UTC', recurring: true };
const TIMEOUT = 180_000;

let world: World;
let scheduler: Process;
beforeAll(async () => {
  world = await startWorld();
  scheduler = await world.scheduler();
}, TIMEOUT);
afterAll(() => world.close());

const ends = (id: string): Promise<readonly EventOf<'PeriodEnded'>[]> => saidOf(world, id, 'PeriodEnded');
const untilEnded = (id: string, count: number) =>
  eventually(
    () => ends(id),
    (all) => all.length >= count,
  );

/** Each period once, each where the one before ended, each followed by the start of the next; none before its boundary. */
const expectUnbroken = async (id: string): Promise<void> => {
  const events = (await said(world, id)).filter(({ type }) => type === 'PeriodEnded' || type === 'PeriodStarted');
  const ended = events.filter((event): event is EventOf<'PeriodEnded'> => event.type === 'PeriodEnded');
  for (const [index, { data, recordedAt, position }] of ended.entries()) {
    expect(parseInstant(recordedAt) >= parseInstant(data.endedAt)).toBe(true);
    expect(data.through).toBeLessThan(position);
    if (index > 0) expect(data.periodStart).toBe(ended[index - 1]?.data.periodEnd);
  }
  const names = events.map(({ type }) => type);
  expect(names).toEqual(ended.flatMap(() => ['PeriodEnded', 'PeriodStarted']));
  const started = events.filter((event): event is EventOf<'PeriodStarted'> => event.type === 'PeriodStarted');
  expect(started.map(({ data }) => data.periodStart)).toEqual(ended.map(({ data }) => data.periodEnd));
};

describe('a period ends by the clock', () => {
  test(
    'with its figures, whether or not it was used, and the next one opens',
    async () => {
      const id = await makeBudget(world, { period: LONGER, limit: { amount: '10', currency: 'USD' } });
      await use(world, id, '4.5');
      const [first, second] = await untilEnded(id, 2);
      expect(first?.data).toMatchObject({
        cause: 'boundary',
        spend: '4.5',
        events: 1,
        limit: '10',
        percentUsed: '45.00',
        rolledOver: '0',
        currency: 'USD',
      });
      expect(second?.data).toMatchObject({ cause: 'boundary', spend: '0', events: 0 });
      await expectUnbroken(id);
    },
    TIMEOUT,
  );

  test(
    'says beside its spend what is still held: that settles in it, and restates it',
    async () => {
      const id = await makeBudget(world, { period: LONGER, limit: { amount: '10', currency: 'USD' } });
      const [first] = await untilEnded(id, 1);
      const held = { tenant: TENANT, budget_id: id, period_start: first?.data.periodEnd ?? '', reserved: '2.5' };
      await world.db.insertInto('projection.reserved').values(held).execute();
      const [, second] = await untilEnded(id, 2);
      expect([first?.data.reserved, second?.data.reserved, second?.data.spend]).toEqual(['0', '2.5', '0']);
    },
    TIMEOUT,
  );

  test(
    'lifts an automatic pause and leaves a manual one alone',
    async () => {
      const enforcement = { mode: 'block', blockAtPercent: 100, autoPause: true } as const;
      const id = await makeBudget(world, { period: LONGER, limit: { amount: '10', currency: 'USD' }, enforcement });
      await use(world, id, '10');
      const [paused] = await eventually(
        () => saidOf(world, id, 'BudgetPaused'),
        (events) => events.length > 0,
      );
      await command(world, 'BudgetPaused', { budgetId: id, reason: 'by hand' });
      const [resumed] = await eventually(
        () => saidOf(world, id, 'BudgetResumed'),
        (events) => events.length > 0,
      );
      expect(resumed?.data.automatic?.periodStart).toBe(paused?.data.automatic?.periodStart);
      const row = await eventually(
        () => world.db.selectFrom('projection.budget').select('controls').where('budget_id', '=', id).executeTakeFirst(),
        (budget) => budget?.controls.automatic === undefined,
      );
      expect(row?.controls.pause).toMatchObject({ reason: 'by hand' });
      await command(world, 'BudgetDeleted', { budgetId: id });
    },
    TIMEOUT,
  );

  test(
    'resets missed #7129 #24675: stopped for several periods, then continued, it says every missed one in order',
    async () => {
      const id = await makeBudget(world, { period: { ...SHORT, length: '6s' } });
      await untilEnded(id, 1);
      scheduler.signal('SIGSTOP');
      const before = (await ends(id)).length;
      await delay(19_000);
      const during = (await ends(id)).length;
      scheduler.signal('SIGCONT');
      await untilEnded(id, before + 3);
      expect(during).toBeLessThanOrEqual(before + 1);
      await expectUnbroken(id);
    },
    TIMEOUT,
  );

  test(
    'resets missed #5651 #8364: one that was killed goes on where it was, also with years of missed periods beside others',
    async () => {
      const id = await makeBudget(world, { period: SHORT });
      const old = await makeBudget(world, {
        period: { ...SHORT, length: '1s' },
        name: 'old',
      });
      await untilEnded(id, 1);
      await scheduler.kill();
      await delay(5_000);
      scheduler = await world.scheduler();
      await untilEnded(id, 4);
      await untilEnded(old, 8);
      await expectUnbroken(id);
      await expectUnbroken(old);
    },
    TIMEOUT,
  );

  test(
    'resets doubled #34733 #36940: three schedulers share the work, one of them killed and one frozen on the way',
    async () => {
      const made = await Promise.all(Array.from({ length: 30 }, () => makeBudget(world, { period: SHORT })));
      const [two, three] = [await world.scheduler(), await world.scheduler()];
      await delay(2_500);
      await two.kill();
      three.signal('SIGSTOP');
      await delay(3_000);
      three.signal('SIGCONT');
      for (const id of made) await untilEnded(id, 4);
      await three.kill();
      for (const id of made) {
        await expectUnbroken(id);
        await command(world, 'BudgetDeleted', { budgetId: id });
      }
    },
    TIMEOUT,
  );

  test(
    'a deleted budget ends no period any more',
    async () => {
      const id = await makeBudget(world, { period: SHORT });
      await untilEnded(id, 1);
      await command(world, 'BudgetDeleted', { budgetId: id });
      await eventually(
        () => world.db.selectFrom('scheduler.timer').select('budget_id').where('budget_id', '=', id).execute(),
        (rows) => rows.length === 0,
      );
      const count = (await ends(id)).length;
      await delay(2_500);
      expect((await ends(id)).length).toBeLessThanOrEqual(count + 1);
    },
    TIMEOUT,
  );

  test(
    'another calendar moves the timer; validUntil ends the budget with its period',
    async () => {
      const id = await makeBudget(world, { period: LONG });
      await command(world, 'BudgetChanged', {
        budgetId: id,
        definition: { ...BUDGET, scope: `team:${id}`, period: { ...SHORT, anchor: new Date().toISOString() } },
      });
      await untilEnded(id, 1);
      const validUntil = new Date(Date.now() + 3_000).toISOString();
      const ending = await makeBudget(world, { period: LONG, validUntil });
      const [expired] = await eventually(
        () => saidOf(world, ending, 'BudgetExpired'),
        (events) => events.length > 0,
      );
      expect(parseInstant(expired?.data.validUntil ?? '')).toBe(parseInstant(validUntil));
      expect((await ends(ending)).map(({ data }) => data.cause)).toEqual(['expired']);
      expect(await saidOf(world, ending, 'PeriodStarted')).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'its timers come back from the ledger when their table is lost',
    async () => {
      const id = await makeBudget(world, { period: SHORT });
      await untilEnded(id, 1);
      await sql`TRUNCATE scheduler.timer`.execute(world.db);
      const count = (await ends(id)).length;
      await untilEnded(id, count + 3);
      await expectUnbroken(id);
    },
    TIMEOUT,
  );
});

describe('what comes late', () => {
  test(
    'IN-D16 resets wiping #22013 #34270: usage after PeriodEnded restates its period and leaves the one that opened alone',
    async () => {
      const start = new Date().toISOString();
      const id = await makeBudget(world, {
        // Begins now, and is long enough for the usage to come into it on a busy machine.
        period: { ...SHORT, length: '6s', anchor: start },
        limit: { amount: '10', currency: 'USD' },
        rollover: { mode: 'unused' },
      });
      await use(world, id, '4');
      const [first] = await untilEnded(id, 1);
      expect(first?.data).toMatchObject({ spend: '4', rolledOver: '6' });
      await use(world, id, '5', start);
      const [restated] = await eventually(
        () => saidOf(world, id, 'PeriodRestated'),
        (events) => events.length > 0,
      );
      expect(restated?.data).toMatchObject({
        periodStart: first?.data.periodStart,
        restatement: 1,
        spend: '9',
        previousSpend: '4',
        rolledOver: '1',
        previousRolledOver: '6',
      });
      // What had been carried on is corrected in the periods after, which are restated where they had ended.
      const after = await eventually(
        () => world.db.selectFrom('scheduler.period').selectAll().where('budget_id', '=', id).orderBy('period_start').execute(),
        (rows) => rows.length > 1 && rows.slice(0, 2).every((row, index) => index > 0 || row.restatements.length > 0),
      );
      expect(after[0]?.ended).toMatchObject({ spend: '4' });
      expect(after[0]?.restatements).toMatchObject([{ spend: '9' }]);
      await command(world, 'BudgetDeleted', { budgetId: id });
    },
    TIMEOUT,
  );

  test(
    'an override that ends raises the threshold it had covered, without further usage',
    async () => {
      const id = await makeBudget(world, { period: LONG, limit: { amount: '10', currency: 'USD' } });
      const expiresAt = new Date(Date.now() + 3_000).toISOString();
      const grant = {
        budgetId: id,
        overrideId: 'o1',
        amount: { amount: '100', currency: 'USD' },
        enforcement: null,
        expiresAt,
        reason: 'x',
      };
      await command(world, 'OverrideGranted', grant);
      await use(world, id, '9');
      const [crossed] = await eventually(
        () => saidOf(world, id, 'ThresholdCrossed'),
        (events) => events.length > 0,
      );
      const [expired] = await saidOf(world, id, 'OverrideExpired');
      expect(expired?.data).toMatchObject({ overrideId: 'o1' });
      expect(crossed?.data).toMatchObject({ threshold: '80%', limit: '10', spend: '9', causePosition: expired?.position });
    },
    TIMEOUT,
  );
});

test(
  'resets carrying spend into the new window #34270: a reset by hand ends the open period, and thresholds arm anew',
  async () => {
    const id = await makeBudget(world, { period: LONG, limit: { amount: '10', currency: 'USD' }, rollover: { mode: 'both' } });
    await use(world, id, '9');
    await eventually(
      () => saidOf(world, id, 'ThresholdCrossed'),
      (events) => events.length === 1,
    );
    await command(world, 'BudgetReset', {
      budgetId: id,
      reason: 'again',
      previousLimit: '10',
      previousSpend: '9',
      newLimit: null,
      currency: 'USD',
    });
    const [ended] = await untilEnded(id, 1);
    expect(ended?.data).toMatchObject({ cause: 'reset', spend: '9', rolledOver: '0' });
    const [started] = await saidOf(world, id, 'PeriodStarted');
    expect(started?.data).toMatchObject({ periodStart: ended?.data.periodEnd, limit: '10', rolledOver: '0' });
    await use(world, id, '8.5');
    const [, second] = await eventually(
      () => saidOf(world, id, 'ThresholdCrossed'),
      (events) => events.length === 2,
    );
    expect(second?.data).toMatchObject({ periodStart: ended?.data.periodEnd, spend: '8.5', episode: 1 });
  },
  TIMEOUT,
);
