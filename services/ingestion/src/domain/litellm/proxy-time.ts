import { type EpochNs, formatInstant, InexactNumber, NS_PER_SECOND, readInstant } from '@bursar/contracts';

const EPOCH = /^([0-9]{9,11})(?:\.([0-9]{1,20}))?$/;
const NAIVE = /^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9})[0-9]*)?$/;

/**
 * A time as a LiteLLM proxy writes it: seconds since 1970 as a float, or `2025-01-24 09:20:46.847371`, which is UTC there (ours alone
 * need an offset). Nanoseconds; digits beyond them are cut. null: none that can be read.
 */
export const readProxyTime = (value: unknown): EpochNs | null => {
  const text = value instanceof InexactNumber ? value.source : typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return null;
  const [, seconds, parts = ''] = EPOCH.exec(text) ?? [];
  if (seconds !== undefined) return checked(BigInt(seconds) * NS_PER_SECOND + BigInt(parts.slice(0, 9).padEnd(9, '0')));
  const [, date, time, fraction] = NAIVE.exec(text) ?? [];
  const read = readInstant(date === undefined ? text : `${date}T${time}${fraction === undefined ? '' : `.${fraction}`}Z`);
  return typeof read === 'bigint' ? read : null;
};

/** Also of a year that is kept. */
const checked = (ns: EpochNs): EpochNs | null => (typeof readInstant(formatInstant(ns)) === 'bigint' ? ns : null);
