import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type PeriodDefinition, StoredPeriod } from '../events/budget.js';
import { formatInstant, parseInstant } from './instant.js';
import { type Period, periodAt, periodOffset } from './period.js';
import { changePeriod } from './period-change.js';

const monthly = (timezone: string): PeriodDefinition => ({ kind: 'monthly', timezone, recurring: true });
const NOW = parseInstant('2025-01-15T10:00:00Z');
const text = (period: Period | null): string | null =>
  period === null ? null : `${formatInstant(period.start)}/${formatInstant(period.end)}`;
const at = (definition: PeriodDefinition, instant: string): string | null => text(periodAt(definition, parseInstant(instant)));

describe('IN-D14 a zone changed in the middle of a period', () => {
  test.each([
    ['east', 'Asia/Tokyo', '2025-01-31T23:00:00Z/2025-02-28T15:00:00Z', '2025-02-28T15:00:00Z/2025-03-31T15:00:00Z'],
    // Six hours are left of New York's January: they go with its February, or there would be a period of six hours.
    ['west', 'America/New_York', '2025-01-31T23:00:00Z/2025-03-01T05:00:00Z', '2025-03-01T05:00:00Z/2025-04-01T04:00:00Z'],
  ])('Berlin, changed to the %s: the current period stays, the next is of the new zone', (_, zone, next, afterwards) => {
    const changed = changePeriod(monthly('Europe/Berlin'), monthly(zone), NOW);
    expect(at(changed, '2024-12-15T00:00:00Z')).toBe('2024-11-30T23:00:00Z/2024-12-31T23:00:00Z');
    expect(at(changed, '2025-01-15T10:00:00Z')).toBe('2024-12-31T23:00:00Z/2025-01-31T23:00:00Z');
    expect(at(changed, '2025-01-31T23:00:00Z')).toBe(next);
    expect(at(changed, '2025-03-15T00:00:00Z')).toBe(afterwards);
    expect(StoredPeriod.parse(changed)).toEqual(changed);
  });

  test('changed back before it began, it never was', () => {
    const berlin = monthly('Europe/Berlin');
    expect(changePeriod(changePeriod(berlin, monthly('Asia/Tokyo'), NOW), berlin, NOW)).toEqual(berlin);
  });

  test('changed twice in one period, only the last begins', () => {
    const first = changePeriod(monthly('Europe/Berlin'), monthly('Asia/Tokyo'), NOW);
    expect(changePeriod(first, monthly('America/New_York'), NOW)).toEqual(
      changePeriod(monthly('Europe/Berlin'), monthly('America/New_York'), NOW),
    );
  });

  test('changed again in a later period, every period keeps the zone it had', () => {
    const first = changePeriod(monthly('Europe/Berlin'), monthly('Asia/Tokyo'), NOW);
    const second = changePeriod(first, monthly('UTC'), parseInstant('2025-03-10T00:00:00Z'));
    expect(at(second, '2025-01-15T00:00:00Z')).toBe('2024-12-31T23:00:00Z/2025-01-31T23:00:00Z');
    expect(at(second, '2025-03-10T00:00:00Z')).toBe('2025-02-28T15:00:00Z/2025-03-31T15:00:00Z');
    expect(at(second, '2025-04-10T00:00:00Z')).toBe('2025-03-31T15:00:00Z/2025-05-01T00:00:00Z');
  });

  test('the same rule, asked for without what preceded it, keeps what preceded it', () => {
    const first = changePeriod(monthly('Europe/Berlin'), monthly('Asia/Tokyo'), NOW);
    expect(changePeriod(first, monthly('Asia/Tokyo'), NOW)).toBe(first);
  });
});

test.each<[string, PeriodDefinition, PeriodDefinition]>([
  ['another kind', monthly('UTC'), { kind: 'daily', timezone: 'Asia/Tokyo', recurring: true }],
  ['an anchor', monthly('UTC'), { ...monthly('Asia/Tokyo'), anchor: '2025-01-10T00:00:00Z' }],
  ['a one-off', { ...monthly('UTC'), recurring: false }, { ...monthly('Asia/Tokyo'), recurring: false }],
])('%s holds at once', (_, before, after) => {
  expect(changePeriod(before, after, NOW)).toEqual(after);
});

test('periods tile the line across any number of zone changes', () => {
  const zone = fc.constantFrom('UTC', 'Asia/Tokyo', 'America/New_York', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Europe/Berlin');
  const kind = fc.constantFrom('daily', 'weekly', 'monthly' as const);
  const moment = fc.bigInt({ min: parseInstant('2024-01-01T00:00:00Z'), max: parseInstant('2026-01-01T00:00:00Z') });
  fc.assert(
    fc.property(kind, zone, fc.array(fc.tuple(zone, moment), { maxLength: 4 }), moment, (each, first, changes, instant) => {
      const inOrder = changes.toSorted(([, a], [, b]) => Number(a > b) - Number(a < b));
      const start: PeriodDefinition = { kind: each, timezone: first, recurring: true };
      let definition = start;
      for (const [timezone, now] of inOrder) {
        const current = periodAt(definition, now);
        definition = changePeriod(definition, { ...start, timezone }, now);
        expect(text(periodAt(definition, now))).toBe(text(current));
      }
      const period = periodAt(definition, instant);
      if (period === null) throw new Error('no period');
      expect(period.start <= instant && instant < period.end).toBe(true);
      const next = periodOffset(definition, period, 1);
      expect(text(next)).toBe(text(periodAt(definition, period.end)));
      expect(next?.start).toBe(period.end);
      expect(periodOffset(definition, period, -1)?.end).toBe(period.start);
      expect(text(periodOffset(definition, period, -3))).toBe(
        text(periodOffset(definition, periodOffset(definition, period, -1) ?? period, -2)),
      );
    }),
    { numRuns: 150 },
  );
});
