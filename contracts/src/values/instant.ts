/**
 * Instants. On the wire RFC 3339 text with an offset; inside, canonical UTC text (`2025-01-15T10:00:00Z`, as many fraction
 * digits as needed, at most 9) or nanoseconds since 1970 as bigint. A trace with 100 ns stamps keeps them.
 */
const RFC3339 = /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})?$/;

/** Nanoseconds since 1970-01-01T00:00:00Z. */
export type EpochNs = bigint;
export const NS_PER_MS = 1_000_000n;
export const NS_PER_SECOND = 1_000_000_000n;

export type InstantProblem = 'time_format' | 'offset_required' | 'time_range';

const FIRST_YEAR = 1970;
const LAST_YEAR = 9998;

/** Strict: no rolled dates, leap seconds, `24:00` or missing offset; years 1970 to 9998. */
export const readInstant = (value: unknown): EpochNs | InstantProblem => {
  if (typeof value !== 'string' || value.length > 40) return 'time_format';
  const utc = readUtc(value);
  if (utc !== null) return utc;
  const match = RFC3339.exec(value);
  if (match === null) return 'time_format';
  const [, year, month, day, hour, minute, second, fraction = '', offset] = match;
  if (offset === undefined) return 'offset_required';
  const [y, mo, d, h, mi, s] = [Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second)];
  if (mo < 1 || mo > 12 || d < 1 || d > daysInMonth(y, mo) || h > 23 || mi > 59 || s > 59) return 'time_format';
  if (y < FIRST_YEAR || y > LAST_YEAR) return 'time_range';
  let ms = Date.UTC(y, mo - 1, d, h, mi, s);
  if (offset !== 'Z' && offset !== 'z') {
    const [oh, om] = [Number(offset.slice(1, 3)), Number(offset.slice(4, 6))];
    if (oh > 23 || om > 59) return 'time_format';
    ms -= (offset[0] === '-' ? -1 : 1) * (oh * 60 + om) * 60_000;
  }
  if (ms < 0) return 'time_range';
  return BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, '0'));
};

/**
 * As {@link readInstant}, of what our own events say: UTC, `T` and `Z`. Read without a pattern and its pieces, which are most of what folding usage leaves to
 * be collected. null: it is more than that, or no instant.
 */
const readUtc = (text: string): EpochNs | null => {
  const { length } = text;
  const isUtc =
    (length === 20 || (length > 21 && length <= 30 && text[19] === '.')) &&
    text[4] === '-' &&
    text[7] === '-' &&
    text[10] === 'T' &&
    text[13] === ':' &&
    text[16] === ':' &&
    text[length - 1] === 'Z';
  if (!isUtc) return null;
  const [y, mo, d] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  const [h, mi, s] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19)];
  const fraction = length === 20 ? 0 : digits(text, 20, length - 1) * 10 ** (30 - length);
  const isTime = h >= 0 && h <= 23 && mi >= 0 && mi <= 59 && s >= 0 && s <= 59 && fraction >= 0;
  const isDate = y >= FIRST_YEAR && y <= LAST_YEAR && mo >= 1 && mo <= 12 && d >= 1 && d <= daysInMonth(y, mo);
  return isTime && isDate ? BigInt(Date.UTC(y, mo - 1, d, h, mi, s)) * NS_PER_MS + BigInt(fraction) : null;
};

/** Negative where one of them is no digit. */
const digits = (text: string, from: number, to: number): number => {
  let value = 0;
  for (let index = from; index < to; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
};

const daysInMonth = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

/** Of text known to be good (our own events); throws `RangeError` otherwise. */
export const parseInstant = (text: string): EpochNs => {
  const ns = readInstant(text);
  if (typeof ns === 'bigint') return ns;
  throw new RangeError(`not an instant: ${text}`);
};

/** Canonical UTC text: no fraction when it is zero, else 3, 6 or 9 digits as needed. */
export const formatInstant = (ns: EpochNs): string => {
  if (ns % NS_PER_MS === 0n) {
    const iso = new Date(Number(ns / NS_PER_MS)).toISOString();
    return iso.endsWith('.000Z') ? `${iso.slice(0, 19)}Z` : iso;
  }
  const rest = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND; // floor, also before 1970
  const iso = new Date(Number((ns - rest) / NS_PER_MS)).toISOString();
  const digits = rest.toString().padStart(9, '0');
  return `${iso.slice(0, 19)}.${rest % 1000n === 0n ? digits.slice(0, 6) : digits}Z`;
};
