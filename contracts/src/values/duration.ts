/** Calendar and clock parts of a length of time; all ≥ 0, not all 0. Day-and-longer parts are wall time, the rest elapsed time. */
export type DurationParts = Readonly<{
  years: number;
  months: number;
  weeks: number;
  days: number;
  hours: number;
  minutes: number;
  seconds: number;
}>;

const SHORT = /^([1-9][0-9]{0,8})(s|m|h|d|w)$/;
const SHORT_UNITS = { s: 'seconds', m: 'minutes', h: 'hours', d: 'days', w: 'weeks' } as const;
const ISO =
  /^P(?:([0-9]{1,6})Y)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?$/;
const NONE: DurationParts = { years: 0, months: 0, weeks: 0, days: 0, hours: 0, minutes: 0, seconds: 0 };

/** Of `10s`, `30m` (minutes), `12h`, `30d`, `2w` or ISO 8601 (`P1M`, `PT36H`), whole numbers, longer than nothing and at most 100 years; else null. */
export const readDuration = (text: unknown): DurationParts | null => {
  if (typeof text !== 'string' || text.length > 60) return null;
  const short = SHORT.exec(text);
  if (short !== null) return within({ ...NONE, [SHORT_UNITS[short[2] as keyof typeof SHORT_UNITS]]: Number(short[1]) });
  const iso = ISO.exec(text);
  if (iso === null || text.endsWith('T')) return null;
  const [years, months, weeks, days, hours, minutes, seconds] = iso.slice(1).map((part) => Number(part ?? 0));
  return within({ ...NONE, ...definedParts({ years, months, weeks, days, hours, minutes, seconds }) });
};

const definedParts = (parts: Partial<DurationParts>): Partial<DurationParts> =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));

const within = (parts: DurationParts): DurationParts | null => {
  const seconds = approximateSeconds(parts);
  return seconds > 0 && seconds <= MAX_SECONDS ? parts : null;
};

const DAY = 86_400;
const MAX_SECONDS = 100 * 366 * DAY;

/** Mean length in seconds (a month is 30.436875 days): for bounds and for guessing a period's index, never for a boundary. */
export const approximateSeconds = (parts: DurationParts): number =>
  (parts.years * 365.2425 + parts.months * 30.436875 + parts.weeks * 7 + parts.days) * DAY + clockSeconds(parts);

/** The elapsed-time part alone, in seconds. */
export const clockSeconds = (parts: DurationParts): number => parts.hours * 3600 + parts.minutes * 60 + parts.seconds;

/** Whole seconds of a length that no calendar stretches: a day is 24 hours; null for one with months or years. */
export const elapsedSeconds = (parts: DurationParts): number | null =>
  parts.years > 0 || parts.months > 0 ? null : (parts.weeks * 7 + parts.days) * DAY + clockSeconds(parts);

/** True when nothing in it depends on a calendar or zone. */
export const isClockOnly = (parts: DurationParts): boolean =>
  parts.years === 0 && parts.months === 0 && parts.weeks === 0 && parts.days === 0;

export const multiplyDuration = (parts: DurationParts, times: number): DurationParts => ({
  years: parts.years * times,
  months: parts.months * times,
  weeks: parts.weeks * times,
  days: parts.days * times,
  hours: parts.hours * times,
  minutes: parts.minutes * times,
  seconds: parts.seconds * times,
});
