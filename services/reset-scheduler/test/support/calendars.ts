import type { PeriodDefinition } from '@bursar/contracts';
import fc from 'fast-check';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Pacific/Apia',
  'Asia/Kathmandu',
  'America/Sao_Paulo',
] as const;

/** Every kind that recurs, in zones with rules of all sorts, with and without anchors. */
export const calendars: fc.Arbitrary<PeriodDefinition> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('daily', 'weekly', 'monthly', 'quarterly', 'annual'),
    timezone: fc.constantFrom(...ZONES),
    recurring: fc.constant(true),
  }),
  fc.record({
    kind: fc.constantFrom('daily', 'weekly', 'monthly', 'annual'),
    timezone: fc.constantFrom(...ZONES),
    recurring: fc.constant(true),
    anchor: fc.constantFrom('2024-02-29T00:00:00Z', '2023-12-31T23:30:00Z', '2024-03-10T07:30:00Z', '2011-12-30T09:59:00Z'),
  }),
  fc.record({
    kind: fc.constant('rolling' as const),
    length: fc.constantFrom('30d', '45h', '1w', 'P1M', '90d'),
    timezone: fc.constantFrom(...ZONES),
    recurring: fc.constant(true),
  }),
);

/** Moments around changes of clocks, ends of months, leap days, and the day that Apia skipped. */
export const begins = fc.constantFrom(
  '2011-12-27T00:00:00Z',
  '2024-02-27T12:00:00Z',
  '2026-03-07T00:00:00Z',
  '2026-10-03T13:00:00Z',
  '2027-01-30T00:00:00Z',
);

/** In epoch nanoseconds. */
export const HOUR = 3_600_000_000_000n;
