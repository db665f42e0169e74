import { type EpochNs, NS_PER_SECOND, type Period, type PeriodDefinition, periodAt, periodOffset } from '@bursar/contracts';

export type Granularity = 'hour' | 'day' | 'week' | 'month';

const QUARTER_HOUR = 900n * NS_PER_SECOND;
const HOUR = 3_600n * NS_PER_SECOND;
const KINDS = { day: 'daily', week: 'weekly', month: 'monthly' } as const;

/** The smallest span of whole quarter hours that holds [from, to): what rollups can answer for. */
export const wholeQuarters = (from: EpochNs, to: EpochNs): Period => ({
  start: from - (from % QUARTER_HOUR),
  end: to % QUARTER_HOUR === 0n ? to : to - (to % QUARTER_HOUR) + QUARTER_HOUR,
});

/**
 * The whole hours, days, weeks or months of a zone that [start, end) touches, in order; null when they are more than `max`.
 * Hours are elapsed time, so the hour that a zone repeats in autumn is there twice.
 */
export const intervals = (granularity: Granularity, timezone: string, span: Period, max: number): readonly Period[] | null => {
  const found: Period[] = [];
  for (let next = first(granularity, timezone, span.start); next.start < span.end; next = following(granularity, timezone, next)) {
    if (found.length === max) return null;
    found.push(next);
  }
  return found;
};

const first = (granularity: Granularity, timezone: string, at: EpochNs): Period => {
  if (granularity !== 'hour') return present(periodAt(calendar(granularity, timezone), at));
  // Zones are whole quarter hours off, so their hours begin at a quarter of a UTC hour: found from the day they are in.
  const day = present(periodAt(calendar('day', timezone), at));
  const start = at - ((at - day.start) % HOUR);
  return { start, end: start + HOUR };
};

const following = (granularity: Granularity, timezone: string, period: Period): Period =>
  granularity === 'hour'
    ? { start: period.end, end: period.end + HOUR }
    : present(periodOffset(calendar(granularity, timezone), period, 1));

const calendar = (granularity: keyof typeof KINDS, timezone: string): PeriodDefinition => ({
  kind: KINDS[granularity],
  timezone,
  recurring: true,
});

const present = (period: Period | null): Period => {
  if (period === null) throw new RangeError('a recurring calendar has a period for every instant');
  return period;
};
