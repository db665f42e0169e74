import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PeriodDefinition } from '../events/budget.js';
import { formatInstant, parseInstant } from './instant.js';
import { type Period, periodAt, periodOffset, periodResolver } from './period.js';
import { changePeriod, continuesPeriods } from './period-change.js';
import { isResetAt, keepResets, withoutResets, withReset } from './period-reset.js';

const MONTHLY: PeriodDefinition = { kind: 'monthly', timezone: 'Europe/Berlin', recurring: true };
const CUT = withReset(withReset(MONTHLY, '2026-11-10T08:00:00.000000Z', 50), '2026-11-20T09:30:00.000001Z', 90);
const text = (period: Period | null): string | null =>
  period === null ? null : `${formatInstant(period.start)}/${formatInstant(period.end)}`;
const at = (definition: PeriodDefinition, instant: string): string | null => text(periodAt(definition, parseInstant(instant)));

describe('a period that was reset by hand', () => {
  test('is two: to the reset, and from it to the same boundary', () => {
    expect(at(CUT, '2026-11-01T00:00:00Z')).toBe('2026-10-31T23:00:00Z/2026-11-10T08:00:00Z');
    expect(at(CUT, '2026-11-10T08:00:00Z')).toBe('2026-11-10T08:00:00Z/2026-11-20T09:30:00.000001Z');
    expect(at(CUT, '2026-11-20T09:30:00.000001Z')).toBe('2026-11-20T09:30:00.000001Z/2026-11-30T23:00:00Z');
    expect(at(CUT, '2026-12-05T00:00:00Z')).toBe('2026-11-30T23:00:00Z/2026-12-31T23:00:00Z');
  });

  test('is stepped through like any other', () => {
    const steps = [-3, -2, -1, 0, 1].map((count) => {
      const from = periodAt(CUT, parseInstant('2026-11-25T00:00:00Z'));
      return from === null ? null : text(periodOffset(CUT, from, count));
    });
    expect(steps).toEqual([
      '2026-09-30T22:00:00Z/2026-10-31T23:00:00Z',
      '2026-10-31T23:00:00Z/2026-11-10T08:00:00Z',
      '2026-11-10T08:00:00Z/2026-11-20T09:30:00.000001Z',
      '2026-11-20T09:30:00.000001Z/2026-11-30T23:00:00Z',
      '2026-11-30T23:00:00Z/2026-12-31T23:00:00Z',
    ]);
  });

  test('keeps what was folded before, also what says it happened a little later', () => {
    const resolve = periodResolver(CUT);
    const ahead = parseInstant('2026-11-10T08:04:00Z');
    expect(text(resolve(ahead, 49))).toBe('2026-10-31T23:00:00Z/2026-11-10T08:00:00Z');
    expect(text(resolve(ahead, 51))).toBe('2026-11-10T08:00:00Z/2026-11-20T09:30:00.000001Z');
    expect(text(resolve(parseInstant('2026-11-20T09:33:00Z'), 60))).toBe('2026-11-10T08:00:00Z/2026-11-20T09:30:00.000001Z');
    expect(text(resolve(parseInstant('2026-11-05T00:00:00Z'), 99))).toBe('2026-10-31T23:00:00Z/2026-11-10T08:00:00Z');
  });

  test('stays cut whatever rule replaces the one before, and a reset is no change of the rule', () => {
    const now = parseInstant('2026-11-25T00:00:00Z');
    expect(changePeriod(CUT, MONTHLY, now)).toEqual(MONTHLY);
    expect(continuesPeriods(CUT, MONTHLY, now)).toBe(true);
    expect(continuesPeriods(MONTHLY, CUT, now)).toBe(true);
    const weekly = keepResets({ ...MONTHLY, kind: 'weekly' }, CUT);
    expect(continuesPeriods(CUT, weekly, now)).toBe(false);
    expect(at(weekly, '2026-11-20T10:00:00Z')).toBe('2026-11-20T09:30:00.000001Z/2026-11-22T23:00:00Z');
    expect(withoutResets(weekly)).toEqual({ ...MONTHLY, kind: 'weekly' });
    const later = changePeriod(CUT, { ...MONTHLY, timezone: 'Asia/Tokyo' }, now);
    expect(later.preceding?.until).toBe('2026-11-30T23:00:00Z');
    expect(at(keepResets(later, CUT), '2026-11-12T00:00:00Z')).toBe('2026-11-10T08:00:00Z/2026-11-20T09:30:00.000001Z');
  });

  test('any resets tile the time line: each instant is in exactly one period, and every reset is a boundary', () => {
    const day = 86_400_000_000_000n;
    const origin = parseInstant('2026-01-01T00:00:00Z');
    fc.assert(
      fc.property(
        fc.constantFrom('daily', 'weekly', 'monthly'),
        fc.array(fc.bigInt({ min: 0n, max: 90n * day }), { maxLength: 6 }),
        fc.bigInt({ min: 0n, max: 90n * day }),
        (kind, offsets, offset) => {
          const sorted = [...offsets].sort((a, b) => (a < b ? -1 : 1));
          const cut = sorted.reduce<PeriodDefinition>(
            (definition, each, index) => withReset(definition, formatInstant(origin + each), index + 1),
            { kind, timezone: 'America/New_York', recurring: true },
          );
          const instant = origin + offset;
          const period = periodAt(cut, instant);
          expect(period !== null && period.start <= instant && instant < period.end).toBe(true);
          if (period === null) return;
          expect(periodAt(cut, period.end)?.start).toBe(period.end);
          expect(periodAt(cut, period.start - 1n)?.end).toBe(period.start);
          for (const each of sorted) {
            expect(isResetAt(cut, origin + each)).toBe(true);
            expect(periodAt(cut, origin + each)?.start).toBe(origin + each);
            expect(origin + each > period.start && origin + each < period.end).toBe(false);
          }
        },
      ),
    );
  });
});
