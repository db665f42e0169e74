import { type BudgetDefinition, type EpochNs, formatInstant, type PeriodDefinition, parseInstant } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Fact, nextDue, takeDue } from '../src/domain/due.js';
import { evolveTimer, type Timer, type TimerEvent } from '../src/domain/timer.js';
import { begins, calendars, HOUR } from './support/calendars.js';
import { BUDGET, recorded, said } from './support/events.js';

const ID = 'b1';
const made = (at: string, changes: Partial<BudgetDefinition>): Timer => {
  const timer = evolveTimer(null, recorded('BudgetCreated', 1, at, { budgetId: ID, definition: { ...BUDGET, ...changes } }));
  if (timer === null) throw new Error('a created budget has a timer');
  return timer;
};
const after = (timer: Timer, ...events: readonly TimerEvent[]): Timer | null =>
  events.reduce<Timer | null>((current, event) => evolveTimer(current, event), timer);
const all = (timer: Timer | null, until: string, most = 10_000): readonly string[] =>
  timer === null ? [] : takeDue(timer, parseInstant(until), most).facts.map(text);
const text = (fact: Fact): string => {
  const at = formatInstant(fact.at);
  switch (fact.fact) {
    case 'period_ended':
      return `${at} ${formatInstant(fact.period.start)}…${formatInstant(fact.period.end)} ${fact.cause}${fact.next === null ? ' last' : ''}`;
    case 'override_expired':
      return `${at} override ${fact.overrideId}`;
    case 'budget_expired':
      return `${at} expired`;
  }
};

describe('a period ends by the calendar', () => {
  test('period starts #10288 #9098 #4042: thirty days are not a month, and a month is not thirty days', () => {
    const rolling: PeriodDefinition = { kind: 'rolling', length: '30d', timezone: 'UTC', recurring: true };
    expect(all(made('2026-01-31T10:00:00Z', { period: rolling }), '2026-04-01T12:00:00Z')).toEqual([
      '2026-03-02T10:00:00Z 2026-01-31T10:00:00Z…2026-03-02T10:00:00Z boundary',
      '2026-04-01T10:00:00Z 2026-03-02T10:00:00Z…2026-04-01T10:00:00Z boundary',
    ]);
    expect(all(made('2026-01-31T10:00:00Z', {}), '2026-04-01T12:00:00Z')).toEqual([
      '2026-02-01T00:00:00Z 2026-01-01T00:00:00Z…2026-02-01T00:00:00Z boundary',
      '2026-03-01T00:00:00Z 2026-02-01T00:00:00Z…2026-03-01T00:00:00Z boundary',
      '2026-04-01T00:00:00Z 2026-03-01T00:00:00Z…2026-04-01T00:00:00Z boundary',
    ]);
  });
  test('period starts #16431: an anchor on the 31st comes back to the 31st, on 29 February to the 29th', () => {
    const anchored = (anchor: string, kind: 'monthly' | 'annual'): PeriodDefinition => ({ kind, anchor, timezone: 'UTC', recurring: true });
    const ends = (timer: Timer, until: string) => all(timer, until).map((line) => line.slice(0, 10));
    expect(ends(made('2026-12-31T00:00:00Z', { period: anchored('2026-12-31T00:00:00Z', 'monthly') }), '2027-05-01T00:00:00Z')).toEqual([
      '2027-01-31',
      '2027-02-28',
      '2027-03-31',
      '2027-04-30',
    ]);
    expect(ends(made('2024-02-29T00:00:00Z', { period: anchored('2024-02-29T00:00:00Z', 'annual') }), '2028-03-01T00:00:00Z')).toEqual([
      '2025-02-28',
      '2026-02-28',
      '2027-02-28',
      '2028-02-29',
    ]);
  });
  test('period starts #33161 #34896 bifrost#4892: weeks start on Monday in the zone, days at its midnight, not nine hours late in Tokyo', () => {
    const weekly: PeriodDefinition = { kind: 'weekly', timezone: 'Asia/Tokyo', recurring: true };
    expect(all(made('2026-11-26T00:00:00Z', { period: weekly }), '2026-12-01T00:00:00Z')).toEqual([
      '2026-11-29T15:00:00Z 2026-11-22T15:00:00Z…2026-11-29T15:00:00Z boundary',
    ]);
    const daily: PeriodDefinition = { kind: 'daily', timezone: 'Asia/Tokyo', recurring: true };
    expect(nextDue(made('2026-11-26T00:00:00Z', { period: daily }))).toBe(parseInstant('2026-11-26T15:00:00Z'));
  });
  test('IN-D10 the day that Apia skipped has no period, so none ends', () => {
    const daily: PeriodDefinition = { kind: 'daily', timezone: 'Pacific/Apia', recurring: true };
    expect(all(made('2011-12-29T12:00:00Z', { period: daily }), '2012-01-01T00:00:00Z')).toEqual([
      '2011-12-30T10:00:00Z 2011-12-29T10:00:00Z…2011-12-30T10:00:00Z boundary',
      '2011-12-31T10:00:00Z 2011-12-30T10:00:00Z…2011-12-31T10:00:00Z boundary',
    ]);
  });
  test('custom periods end once, or again and again', () => {
    const span = { kind: 'custom', start: '2026-01-10T00:00:00Z', end: '2026-01-20T00:00:00Z', timezone: 'UTC' } as const;
    const once = made('2026-01-01T00:00:00Z', { period: { ...span, recurring: false } });
    expect(all(once, '2027-01-01T00:00:00Z')).toEqual(['2026-01-20T00:00:00Z 2026-01-10T00:00:00Z…2026-01-20T00:00:00Z boundary last']);
    expect(nextDue(takeDue(once, parseInstant('2027-01-01T00:00:00Z'), 9).timer)).toBeNull();
    expect(nextDue(made('2026-02-01T00:00:00Z', { period: { ...span, recurring: false } }))).toBeNull();
    const again = made('2026-01-15T00:00:00Z', { period: { ...span, recurring: true } });
    expect(all(again, '2026-02-10T00:00:00Z').map((line) => line.slice(0, 10))).toEqual(['2026-01-20', '2026-01-30', '2026-02-09']);
  });
});

describe('a budget is changed', () => {
  const weekly: PeriodDefinition = { kind: 'weekly', timezone: 'UTC', recurring: true };
  const changed = (at: string, changes: Partial<BudgetDefinition>, position = 9) =>
    recorded('BudgetChanged', position, at, { budgetId: ID, definition: { ...BUDGET, ...changes } });

  test('another calendar moves the timer at once; another limit does not', () => {
    const timer = made('2026-01-05T00:00:00Z', {});
    expect(nextDue(after(timer, changed('2026-01-14T12:00:00Z', { period: weekly })) ?? timer)).toBe(parseInstant('2026-01-19T00:00:00Z'));
    const raised = after(timer, changed('2026-01-14T12:00:00Z', { limit: { amount: '5', currency: 'USD' } }));
    expect(raised?.rule).toEqual(timer.rule);
    expect(raised?.openStart).toBe(timer.openStart);
  });
  test('IN-D14 another zone begins with the next period', () => {
    const period: PeriodDefinition = {
      ...BUDGET.period,
      timezone: 'Asia/Tokyo',
      preceding: { until: '2026-02-01T00:00:00Z', period: BUDGET.period },
    };
    expect(all(after(made('2026-01-05T00:00:00Z', {}), changed('2026-01-14T00:00:00Z', { period })), '2026-03-01T00:00:00Z')).toEqual([
      '2026-02-01T00:00:00Z 2026-01-01T00:00:00Z…2026-02-01T00:00:00Z boundary',
      '2026-02-28T15:00:00Z 2026-02-01T00:00:00Z…2026-02-28T15:00:00Z boundary',
    ]);
  });
  test('its end is the end of its last period, and can be moved', () => {
    const ending = made('2026-01-05T00:00:00Z', { validUntil: '2026-02-10T00:00:00Z' });
    expect(all(ending, '2026-05-01T00:00:00Z')).toEqual([
      '2026-02-01T00:00:00Z 2026-01-01T00:00:00Z…2026-02-01T00:00:00Z boundary',
      '2026-02-10T00:00:00Z 2026-02-01T00:00:00Z…2026-03-01T00:00:00Z expired last',
      '2026-02-10T00:00:00Z expired',
    ]);
    const over = takeDue(ending, parseInstant('2026-02-11T00:00:00Z'), 10).timer;
    const longer = after(over, changed('2026-02-12T00:00:00Z', { validUntil: '2026-04-01T00:00:00Z' }));
    expect(all(longer, '2026-05-01T00:00:00Z')).toEqual([
      '2026-04-01T00:00:00Z 2026-03-01T00:00:00Z…2026-04-01T00:00:00Z boundary last',
      '2026-04-01T00:00:00Z expired',
    ]);
  });
  test('validFrom: nothing before it ends', () => {
    const timer = made('2026-01-05T00:00:00Z', { validFrom: '2026-03-10T00:00:00Z' });
    expect(all(timer, '2026-04-01T00:00:00Z')).toEqual(['2026-04-01T00:00:00Z 2026-03-01T00:00:00Z…2026-04-01T00:00:00Z boundary']);
  });
  test('a reset by hand ends the open period, and what is left of it ends at its boundary', () => {
    const reset = recorded('BudgetReset', 7, '2026-01-14T08:00:00.000001Z', {
      budgetId: ID,
      reason: null,
      previousLimit: '100',
      previousSpend: '1',
      newLimit: null,
      currency: 'USD',
    });
    expect(all(after(made('2026-01-05T00:00:00Z', {}), reset), '2026-02-01T00:00:00Z')).toEqual([
      '2026-01-14T08:00:00.000001Z 2026-01-01T00:00:00Z…2026-01-14T08:00:00.000001Z reset',
      '2026-02-01T00:00:00Z 2026-01-14T08:00:00.000001Z…2026-02-01T00:00:00Z boundary',
    ]);
  });
  test('overrides end by the clock, unless they were revoked; a deleted budget says nothing', () => {
    const granted = (overrideId: string, expiresAt: string) =>
      recorded('OverrideGranted', 5, '2026-01-06T00:00:00Z', {
        budgetId: ID,
        overrideId,
        amount: null,
        enforcement: 'off',
        expiresAt,
        reason: 'x',
      });
    const timer = made('2026-01-05T00:00:00Z', {});
    const three = after(
      timer,
      granted('a', '2026-01-08T00:00:00Z'),
      granted('b', '2026-01-07T00:00:00Z'),
      granted('c', '2026-01-09T00:00:00Z'),
    );
    const two = three && after(three, recorded('OverrideRevoked', 8, '2026-01-06T12:00:00Z', { budgetId: ID, overrideId: 'c' }));
    expect(all(two, '2026-01-31T00:00:00Z')).toEqual(['2026-01-07T00:00:00Z override b', '2026-01-08T00:00:00Z override a']);
    expect(after(timer, recorded('BudgetDeleted', 9, '2026-01-06T00:00:00Z', { budgetId: ID }))).toBeNull();
  });
});

describe('whenever the scheduler looks', () => {
  test('resets missed or doubled #5651 #7129 #8364 #24675 #36940 #34733: every period ends once, in order, and never before its end', () => {
    fc.assert(
      fc.property(
        calendars,
        begins,
        fc.array(fc.bigInt({ min: 0n, max: 40n * 24n }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 7 }),
        (period, begin, downtimes, most) => {
          const made0 = made(begin, { period });
          let now: EpochNs = parseInstant(begin);
          let timer = made0;
          const said: Fact[] = [];
          for (const hours of downtimes) {
            now += hours * HOUR;
            for (;;) {
              const turn = takeDue(timer, now, most);
              for (const fact of turn.facts) expect(fact.at <= now).toBe(true);
              said.push(...turn.facts);
              // Killed between the append and the commit: the same turn again says the same.
              expect(takeDue(timer, now, most).facts).toEqual(turn.facts);
              timer = turn.timer;
              if (turn.facts.length < most) break;
            }
            const next = nextDue(timer);
            expect(next === null || next > now).toBe(true);
          }
          // One that never slept says the same.
          expect(said).toEqual(takeDue(made0, now, 1_000_000).facts);
          const starts = said.map((fact) => (fact.fact === 'period_ended' ? fact.period.start : null));
          for (const [index, fact] of said.entries()) {
            if (fact.fact !== 'period_ended') continue;
            expect(fact.period.end > fact.period.start).toBe(true);
            expect(fact.at).toBe(fact.period.end);
            if (index + 1 < said.length) expect(starts[index + 1]).toBe(fact.period.end);
            if (period.kind === 'daily' && period.anchor === undefined) expectLocalMidnight(fact.period.end, period.timezone);
          }
          expect(new Set(starts).size).toBe(said.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('rebuilt from the ledger, a timer is where it was', () => {
    fc.assert(
      fc.property(calendars, begins, fc.integer({ min: 0, max: 200 }), (period, begin, days) => {
        const fresh = made(begin, { period });
        const now = parseInstant(begin) + BigInt(days) * 24n * HOUR;
        const { facts, timer } = takeDue(fresh, now, 1_000_000);
        const rebuilt = facts.reduce<Timer | null>((current, fact) => {
          if (fact.fact !== 'period_ended' || current === null) return current;
          return evolveTimer(current, said(ID, fact, 2, '2026-01-01T00:00:00Z'));
        }, fresh);
        expect(rebuilt).toEqual(timer);
        // What is consumed twice, or late, changes nothing.
        expect(
          facts.reduce<Timer | null>(
            (current, fact) =>
              fact.fact === 'period_ended' && current !== null ? evolveTimer(current, said(ID, fact, 2, '2026-01-01T00:00:00Z')) : current,
            timer,
          ),
        ).toEqual(timer);
      }),
      { numRuns: 40 },
    );
  });
});

/** By the platform's own calendar: the millisecond before is another day there. */
const expectLocalMidnight = (at: EpochNs, timeZone: string): void => {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  const ms = Number(at / 1_000_000n);
  expect(day.format(ms)).not.toBe(day.format(ms - 1));
};
