import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PeriodDefinition } from '../events/budget.js';
import { readDuration } from './duration.js';
import { formatInstant, NS_PER_SECOND, parseInstant } from './instant.js';
import { periodAt, periodOffset, periodResolver } from './period.js';
import { canonicalTimeZone } from './timezone.js';

const HOUR = 3600n * NS_PER_SECOND;
const define = (given: Partial<PeriodDefinition>): PeriodDefinition => ({ kind: 'monthly', timezone: 'UTC', recurring: true, ...given });
const text = (period: ReturnType<typeof periodAt>): string | null =>
  period === null ? null : `${formatInstant(period.start)}/${formatInstant(period.end)}`;
const at = (definition: PeriodDefinition, instant: string): string | null => text(periodAt(definition, parseInstant(instant)));

describe('aligned to the calendar', () => {
  test.each([
    ['daily', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00Z/2026-03-29T22:00:00Z'],
    ['daily', 'Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z/2026-10-25T23:00:00Z'],
    ['weekly', 'Asia/Tokyo', '2026-11-25T00:00:00Z', '2026-11-22T15:00:00Z/2026-11-29T15:00:00Z'],
    ['monthly', 'America/New_York', '2026-03-20T00:00:00Z', '2026-03-01T05:00:00Z/2026-04-01T04:00:00Z'],
    ['quarterly', 'UTC', '2026-11-25T00:00:00Z', '2026-10-01T00:00:00Z/2027-01-01T00:00:00Z'],
    ['annual', 'Asia/Kathmandu', '2026-11-25T00:00:00Z', '2025-12-31T18:15:00Z/2026-12-31T18:15:00Z'],
  ] as const)('%s in %s', (kind, timezone, instant, expected) => {
    expect(at(define({ kind, timezone }), instant)).toBe(expected);
  });

  test('IN-D8 an instant at the end belongs to the next period, one nanosecond before to this one', () => {
    const monthly = define({});
    expect(at(monthly, '2026-12-01T00:00:00Z')).toBe('2026-12-01T00:00:00Z/2027-01-01T00:00:00Z');
    expect(at(monthly, '2026-11-30T23:59:59.999999999Z')).toBe('2026-11-01T00:00:00Z/2026-12-01T00:00:00Z');
  });

  test('IN-D9 days at the changes of daylight saving have 22 to 26 hours', () => {
    const hours = (timezone: string, instant: string): bigint => {
      const period = periodAt(define({ kind: 'daily', timezone }), parseInstant(instant));
      return period === null ? 0n : ((period.end - period.start) * 10n) / HOUR;
    };
    expect(hours('America/New_York', '2026-03-08T12:00:00Z')).toBe(230n);
    expect(hours('America/New_York', '2026-11-01T12:00:00Z')).toBe(250n);
    expect(hours('Australia/Lord_Howe', '2026-04-04T18:00:00Z')).toBe(245n);
    expect(hours('Antarctica/Troll', '2026-03-29T12:00:00Z')).toBe(220n);
    expect(hours('Antarctica/Troll', '2026-10-25T12:00:00Z')).toBe(260n);
  });

  test('IN-D10 the day that Pacific/Apia skipped is no period', () => {
    const daily = define({ kind: 'daily', timezone: 'Pacific/Apia' });
    const before = periodAt(daily, parseInstant('2011-12-30T09:00:00Z'));
    expect(text(before)).toBe('2011-12-29T10:00:00Z/2011-12-30T10:00:00Z');
    expect(before && text(periodOffset(daily, before, 1))).toBe('2011-12-30T10:00:00Z/2011-12-31T10:00:00Z');
  });
});

describe('from an anchor', () => {
  test('IN-D11 the 31st is clamped in short months and comes back', () => {
    const definition = define({ anchor: '2026-01-31T00:00:00Z' });
    expect(at(definition, '2026-02-10T00:00:00Z')).toBe('2026-01-31T00:00:00Z/2026-02-28T00:00:00Z');
    expect(at(definition, '2026-03-10T00:00:00Z')).toBe('2026-02-28T00:00:00Z/2026-03-31T00:00:00Z');
    expect(at(definition, '2026-04-30T00:00:00Z')).toBe('2026-04-30T00:00:00Z/2026-05-31T00:00:00Z');
    expect(at(definition, '2025-12-31T00:00:00Z')).toBe('2025-12-31T00:00:00Z/2026-01-31T00:00:00Z');
  });

  test('IN-D12 the 29th of February is the 28th in other years', () => {
    const definition = define({ kind: 'annual', anchor: '2024-02-29T00:00:00Z' });
    expect(at(definition, '2025-06-01T00:00:00Z')).toBe('2025-02-28T00:00:00Z/2026-02-28T00:00:00Z');
    expect(at(definition, '2028-06-01T00:00:00Z')).toBe('2028-02-29T00:00:00Z/2029-02-28T00:00:00Z');
  });

  test('rolling 30d keeps the wall time over a change of daylight saving, rolling 12h the elapsed time', () => {
    const days = define({ kind: 'rolling', length: '30d', timezone: 'Europe/Berlin', anchor: '2026-03-10T09:00:00+01:00' });
    expect(at(days, '2026-03-20T00:00:00Z')).toBe('2026-03-10T08:00:00Z/2026-04-09T07:00:00Z');
    const hours = define({ kind: 'rolling', length: '12h', timezone: 'Europe/Berlin', anchor: '2026-03-28T18:00:00Z' });
    expect(at(hours, '2026-03-29T07:00:00Z')).toBe('2026-03-29T06:00:00Z/2026-03-29T18:00:00Z');
  });

  test('30 days are not a month', () => {
    const definition = define({ kind: 'rolling', length: '30d', anchor: '2026-01-01T00:00:00Z' });
    expect(at(definition, '2026-02-01T00:00:00Z')).toBe('2026-01-31T00:00:00Z/2026-03-02T00:00:00Z');
  });
});

describe('one-off', () => {
  test('a custom period is alone; a recurring one repeats by the calendar', () => {
    const once = define({ kind: 'custom', start: '2026-01-15T00:00:00Z', end: '2026-02-15T00:00:00Z', recurring: false });
    expect(at(once, '2026-02-15T00:00:00Z')).toBeNull();
    expect(at(once, '2026-01-14T23:59:59Z')).toBeNull();
    expect(at(once, '2026-01-15T00:00:00Z')).toBe('2026-01-15T00:00:00Z/2026-02-15T00:00:00Z');
    expect(at({ ...once, recurring: true }, '2026-03-01T00:00:00Z')).toBe('2026-02-15T00:00:00Z/2026-03-15T00:00:00Z');
  });

  test('an anchored budget that does not recur has the period at its anchor only', () => {
    const once = define({ anchor: '2026-01-31T00:00:00Z', recurring: false });
    expect(at(once, '2026-02-01T00:00:00Z')).toBe('2026-01-31T00:00:00Z/2026-02-28T00:00:00Z');
    expect(at(once, '2026-03-01T00:00:00Z')).toBeNull();
  });
});

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Pacific/Apia',
  'Asia/Kathmandu',
  'America/Sao_Paulo',
];
const instants = fc.bigInt({ min: parseInstant('1995-01-01T00:00:00Z'), max: parseInstant('2060-01-01T00:00:00Z') });
const definitions = fc
  .record({
    kind: fc.constantFrom('daily', 'weekly', 'monthly', 'quarterly', 'annual', 'rolling' as const),
    timezone: fc.constantFrom(...ZONES),
    anchor: fc.option(instants.map(formatInstant), { nil: undefined }),
    length: fc.constantFrom('6s', '90m', '12h', '1d', '30d', '90d', '2w', 'P1M', 'P1Y', 'P1M3D', 'P1DT6H'),
  })
  .map(
    (given): PeriodDefinition =>
      define({ ...given, anchor: given.kind === 'rolling' ? (given.anchor ?? '2020-01-31T10:30:00Z') : given.anchor }),
  );

test('periods contain their instant and tile the line without gap or overlap, whatever zone and anchor', () => {
  fc.assert(
    fc.property(definitions, instants, (definition, instant) => {
      const period = periodAt(definition, instant);
      expect(period).not.toBeNull();
      if (period === null) return;
      expect(period.start <= instant && instant < period.end).toBe(true);
      const next = periodOffset(definition, period, 1);
      const previous = periodOffset(definition, period, -1);
      expect(next?.start).toBe(period.end);
      expect(previous?.end).toBe(period.start);
      expect(text(periodAt(definition, period.end))).toBe(text(next));
      expect(text(periodAt(definition, period.start - 1n))).toBe(text(previous));
      expect(text(periodResolver(definition)(instant))).toBe(text(period));
    }),
    { numRuns: 300 },
  );
});

test('a period far away is found at once, and none beyond the years that can be written', () => {
  const monthly = define({ anchor: '2026-01-31T00:00:00Z' });
  const first = periodAt(monthly, parseInstant('2026-02-01T00:00:00Z'));
  expect(first && text(periodOffset(monthly, first, 12 * 400 + 1))).toBe('2426-02-28T00:00:00Z/2426-03-31T00:00:00Z');
  const annual = define({ kind: 'annual' });
  const year = periodAt(annual, parseInstant('2026-02-01T00:00:00Z'));
  expect(year && periodOffset(annual, year, 10_000)).toBeNull();
  const daily = define({ kind: 'daily', timezone: 'Pacific/Apia' });
  const day = periodAt(daily, parseInstant('2011-12-25T12:00:00Z'));
  // Ten civil days later the zone had lived through nine.
  expect(day && text(periodOffset(daily, day, 9))).toBe('2012-01-03T10:00:00Z/2012-01-04T10:00:00Z');
});

test('IN-D13 zones: IANA names and old country links, nothing else', () => {
  expect(canonicalTimeZone('US/Pacific')).toBe('America/Los_Angeles');
  expect(canonicalTimeZone('europe/berlin')).toBe('Europe/Berlin');
  expect(canonicalTimeZone('Asia/Kolkata')).toBe('Asia/Kolkata');
  for (const bad of ['EST5EDT', 'GMT+25', 'Mars/Base', '', '+05:00', 'Europe/Berlin ', 7, null]) expect(canonicalTimeZone(bad)).toBeNull();
});

test('durations: m is minutes, whole numbers only, never nothing', () => {
  expect(readDuration('30m')?.minutes).toBe(30);
  expect(readDuration('P1M')?.months).toBe(1);
  expect(readDuration('P1DT6H')).toMatchObject({ days: 1, hours: 6 });
  for (const bad of ['0d', 'P', 'PT', 'P0D', '1.5d', '-1d', '1y', '', 'P1H', '200000w', 5]) expect(readDuration(bad)).toBeNull();
});
