import { Temporal } from 'temporal-polyfill';
import type { PeriodDefinition } from '../events/budget.js';
import { approximateSeconds, clockSeconds, type DurationParts, isClockOnly, multiplyDuration, readDuration } from './duration.js';
import { type EpochNs, NS_PER_SECOND, parseInstant } from './instant.js';
import { cutPeriod, cutsOf } from './period-reset.js';

/**
 * Spending periods, API.md "Budgets": half-open [start, end), they tile the time line. Without an anchor they are aligned to the
 * calendar of the zone (weeks start on Monday); with one, boundary k (any integer) is anchor + k × length from the ORIGINAL anchor,
 * so that the 31st comes back after February. A reset by hand is a boundary more. All calendar arithmetic of Bursar is in this file.
 */
export type Period = Readonly<{ start: EpochNs; end: EpochNs }>;

/** The period that contains the instant; null when none does (a one-off period elsewhere). */
export const periodAt = (definition: PeriodDefinition, at: EpochNs): Period | null => periodFinder(definition)(at);

/** The period `count` places later (negative: earlier), counting only periods that have any length; null where there is none. */
export const periodOffset = (definition: PeriodDefinition, period: Period, count: number): Period | null => {
  if (definition.preceding !== undefined || definition.resets !== undefined) return stepped(periodFinder(definition), period, count);
  if (oneOff(definition) !== null) return count === 0 ? period : null;
  const line = boundaries(definition);
  const k = moved(line, indexAt(line, period.start), count);
  return withinYears(line, k) ? { start: line.at(k), end: line.at(k + 1) } : null;
};

/** The index `count` periods of any length away. Only lengths near a day need to be walked. */
const moved = (line: Boundaries, from: number, count: number): number => {
  if (!line.mayBeEmpty) return from + count;
  const step = Math.sign(count);
  let k = from;
  for (let left = Math.abs(count); left > 0; left -= 1) {
    k += step;
    // A zone that skipped a day (Pacific/Apia 2011-12-30) makes a daily period of no length: it is no period.
    while (line.at(k) === line.at(k + 1)) k += step;
  }
  return k;
};

/** Beyond the years 1 to 9998 an instant cannot be written. */
const withinYears = (line: Boundaries, k: number): boolean => Math.abs(k * line.meanSeconds) < MOST_SECONDS;
const MOST_SECONDS = 7_900 * 365.2425 * 86_400;

/**
 * {@link periodAt} that remembers the periods it answered last: a fold asks for the same few thousands of times. With `position`, that of
 * usage, it knows of no reset after it: what was folded before one stays in the period that the reset ended, also when it says it
 * happens a little later.
 */
export const periodResolver = (definition: PeriodDefinition): ((at: EpochNs, position?: number) => Period | null) => {
  const find = remembering(periodFinder(definition));
  const cuts = cutsOf(definition);
  const [first, last] = [cuts[0], cuts.at(-1)];
  if (first === undefined || last === undefined) return find;
  const rule = remembering(ruleFinder(definition));
  return (at, position = Number.POSITIVE_INFINITY) => {
    if (at < first.at || position >= last.position) return find(at);
    const whole = rule(at);
    const known = cuts.filter((cut) => cut.position <= position);
    return whole === null ? null : find(cutPeriod(whole, known, at).start);
  };
};

const remembering = (find: Finder): Finder => {
  const recent: Period[] = [];
  return (at) => {
    for (const period of recent) if (contains(period, at)) return period;
    const found = find(at);
    if (found !== null) {
      recent.unshift(found);
      recent.length = Math.min(recent.length, REMEMBERED);
    }
    return found;
  };
};

const REMEMBERED = 8;

const contains = (period: Period, at: EpochNs): boolean => at >= period.start && at < period.end;

type Finder = (at: EpochNs) => Period | null;

const periodFinder = (definition: PeriodDefinition): Finder => {
  const find = ruleFinder(definition);
  const cuts = cutsOf(definition);
  if (cuts.length === 0) return find;
  return (at) => {
    const whole = find(at);
    return whole === null ? null : cutPeriod(whole, cuts, at);
  };
};

/** Without resets. */
const ruleFinder = (definition: PeriodDefinition): Finder => {
  if (definition.preceding !== undefined) return handedOver(definition, definition.preceding);
  const once = oneOff(definition);
  if (once !== null) return (at) => (contains(once, at) ? once : null);
  const line = boundaries(definition);
  return (at) => {
    const k = indexAt(line, at);
    return { start: line.at(k), end: line.at(k + 1) };
  };
};

/** The preceding definition up to its last boundary, this one from there; the period that joins them is made once. */
const handedOver = (definition: PeriodDefinition, { until, period }: NonNullable<PeriodDefinition['preceding']>): Finder => {
  const boundary = parseInstant(until);
  const before = ruleFinder(period);
  const after = ruleFinder({ ...definition, preceding: undefined });
  const first = firstFrom(after, boundary);
  return (at) => {
    if (at < boundary) return before(at);
    return first !== null && at < first.end ? first : after(at);
  };
};

/** From the boundary to a boundary of the new line: a remainder shorter than half a period goes with the one after it. */
const firstFrom = (find: Finder, boundary: EpochNs): Period | null => {
  const around = find(boundary);
  if (around === null) return null;
  const short = around.end - boundary < boundary - around.start;
  return { start: boundary, end: ((short ? find(around.end) : null) ?? around).end };
};

const stepped = (find: Finder, period: Period, count: number): Period | null => {
  let current: Period | null = period;
  for (let left = Math.abs(count); left > 0 && current !== null; left -= 1) current = find(count > 0 ? current.end : current.start - 1n);
  return current;
};

/** The one period of a definition that does not recur; null when periods go on for ever. */
export const oneOff = (definition: PeriodDefinition): Period | null => {
  if (definition.recurring) return null;
  if (definition.kind === 'custom') return customSpan(definition);
  if (definition.anchor === undefined) return null; // whoever makes a one-off budget anchors it where its only period starts
  const line = boundaries(definition);
  return { start: line.at(0), end: line.at(1) };
};

const customSpan = (definition: PeriodDefinition): Period => {
  if (definition.start === undefined || definition.end === undefined) throw new RangeError('custom period without start and end');
  return { start: parseInstant(definition.start), end: parseInstant(definition.end) };
};

/** Boundary k for any integer k, never decreasing in k. */
type Boundaries = Readonly<{
  at: (k: number) => EpochNs;
  /** A k whose boundary is near the instant. */
  guess: (at: EpochNs) => number;
  /** Mean length of a period. */
  meanSeconds: number;
  /** Whether a day that the zone skipped can leave a period without length. */
  mayBeEmpty: boolean;
}>;

const indexAt = (line: Boundaries, at: EpochNs): number => {
  let k = line.guess(at);
  while (line.at(k) > at) k -= 1;
  while (line.at(k + 1) <= at) k += 1;
  return k;
};

const boundaries = (definition: PeriodDefinition): Boundaries => {
  if (definition.kind === 'custom') return repeated(customSpan(definition), definition.timezone);
  if (definition.anchor === undefined) return aligned(definition);
  return anchored(parseInstant(definition.anchor), lengthOf(definition), definition.timezone);
};

/** No zone ever skipped more than a day. */
const TWO_DAYS = 2 * 86_400;

const ONE = { years: 0, months: 0, weeks: 0, days: 0, hours: 0, minutes: 0, seconds: 0 };
const LENGTHS: Readonly<Record<Exclude<PeriodDefinition['kind'], 'rolling' | 'custom'>, DurationParts>> = {
  daily: { ...ONE, days: 1 },
  weekly: { ...ONE, weeks: 1 },
  monthly: { ...ONE, months: 1 },
  quarterly: { ...ONE, months: 3 },
  annual: { ...ONE, years: 1 },
};

const lengthOf = (definition: PeriodDefinition): DurationParts => {
  if (definition.kind !== 'rolling' && definition.kind !== 'custom') return LENGTHS[definition.kind];
  const length = readDuration(definition.length);
  if (length === null) throw new RangeError(`period of kind ${definition.kind} without a length`);
  return length;
};

const zoned = (at: EpochNs, timezone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochNanoseconds(at).toZonedDateTimeISO(timezone);

/** Anchor + k × length: wall time for days and longer (Temporal "compatible", the day clamped to its month), then elapsed time. */
const anchored = (anchor: EpochNs, length: DurationParts, timezone: string): Boundaries => {
  const seconds = approximateSeconds(length);
  const guess = (at: EpochNs): number => Math.floor(Number((at - anchor) / NS_PER_SECOND) / seconds);
  if (isClockOnly(length)) {
    const step = BigInt(clockSeconds(length)) * NS_PER_SECOND;
    return { at: (k) => anchor + BigInt(k) * step, guess, meanSeconds: seconds, mayBeEmpty: false };
  }
  const origin = zoned(anchor, timezone);
  const at = (k: number): EpochNs => origin.add(multiplyDuration(length, k)).epochNanoseconds;
  return { at, guess, meanSeconds: seconds, mayBeEmpty: seconds < TWO_DAYS };
};

/** The zone's own days, weeks, months, quarters, years; a day starts at its first instant, which is not always 00:00. */
const aligned = (definition: PeriodDefinition): Boundaries => {
  const length = lengthOf(definition);
  const origin = new Temporal.PlainDate(1970, 1, definition.kind === 'weekly' ? 5 : 1); // 1970-01-05 was a Monday
  const seconds = approximateSeconds(length);
  return {
    at: (k) => origin.add(multiplyDuration(length, k)).toZonedDateTime(definition.timezone).epochNanoseconds,
    guess: (at) => Math.floor(Number(at / NS_PER_SECOND) / seconds),
    meanSeconds: seconds,
    mayBeEmpty: seconds < TWO_DAYS,
  };
};

/** A custom span that recurs: again and again by the calendar distance between its start and end, in wall time. */
const repeated = (span: Period, timezone: string): Boundaries => {
  const distance = zoned(span.start, timezone).until(zoned(span.end, timezone), { largestUnit: 'month' });
  const { years, months, weeks, days, hours, minutes, seconds } = distance;
  return anchored(span.start, { years, months, weeks, days, hours, minutes, seconds }, timezone);
};
