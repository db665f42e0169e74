import { formatInstant, type Period, parseInstant } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { type Granularity, intervals, wholeQuarters } from './intervals.js';

const span = (from: string, to: string): Period => ({ start: parseInstant(from), end: parseInstant(to) });
const starts = (granularity: Granularity, zone: string, from: string, to: string, max = 1_000): string[] | null =>
  intervals(granularity, zone, span(from, to), max)?.map(({ start }) => formatInstant(start)) ?? null;

describe('intervals', () => {
  test('days are those of the zone, short in spring', () => {
    expect(starts('day', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z')).toEqual([
      '2026-03-27T23:00:00Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T22:00:00Z',
    ]);
  });
  test('an autumn day has 25 hours, each once', () => {
    const hours = starts('hour', 'Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z');
    expect(new Set(hours).size).toBe(25);
  });
  test('hours of a zone that is half an hour off begin at the half hour', () => {
    expect(starts('hour', 'Asia/Kolkata', '2026-01-01T00:00:00Z', '2026-01-01T02:00:00Z')).toEqual([
      '2025-12-31T23:30:00Z',
      '2026-01-01T00:30:00Z',
      '2026-01-01T01:30:00Z',
    ]);
  });
  test('months and weeks are calendar ones', () => {
    expect(starts('month', 'UTC', '2024-01-31T00:00:00Z', '2024-03-02T00:00:00Z')).toHaveLength(3);
    expect(starts('week', 'UTC', '2024-01-01T00:00:00Z', '2024-01-15T00:00:00Z')).toEqual(['2024-01-01T00:00:00Z', '2024-01-08T00:00:00Z']);
  });
  test('together they cover the span, without gap or overlap', () => {
    for (const granularity of ['hour', 'day', 'week', 'month'] as const) {
      const whole = span('2026-03-01T00:15:00Z', '2026-04-02T03:45:00Z');
      const parts = intervals(granularity, 'America/New_York', whole, 1_000) ?? [];
      expect((parts[0]?.start ?? 0n) <= whole.start && whole.start < (parts[0]?.end ?? 0n)).toBe(true);
      expect((parts.at(-1)?.start ?? 0n) < whole.end && whole.end <= (parts.at(-1)?.end ?? 0n)).toBe(true);
      for (const [index, part] of parts.entries()) if (index > 0) expect(part.start).toBe(parts[index - 1]?.end);
    }
  });
  test('more than allowed are none', () => {
    expect(starts('hour', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 24)).toHaveLength(24);
    expect(starts('hour', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:15:00Z', 24)).toBeNull();
  });
});

test('a span grows to whole quarter hours', () => {
  const { start, end } = span('2026-01-01T00:07:00Z', '2026-01-01T00:31:00Z');
  const grown = wholeQuarters(start, end);
  expect([formatInstant(grown.start), formatInstant(grown.end)]).toEqual(['2026-01-01T00:00:00Z', '2026-01-01T00:45:00Z']);
});
