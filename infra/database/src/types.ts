import pg from 'pg';

const { builtins } = pg.types;
const TIMESTAMP_TEXT = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?\+00$/;

/** int8 as a number. Positions and counts stay far below 2^53; beyond it a wrong digit would be silent, so it throws. */
export const parseInt8 = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} is not a safe integer`);
  return value;
};

/** timestamptz (the session's zone is UTC) in the canonical form of contracts' `formatInstant`; `Date` would lose microseconds. */
export const parseTimestamp = (text: string): string => {
  const match = TIMESTAMP_TEXT.exec(text);
  if (match === null) throw new RangeError(`not a UTC timestamp: ${text}`);
  const [, day, time, fraction = ''] = match;
  const digits = fraction.replace(/0+$/, '');
  if (digits === '') return `${day}T${time}Z`;
  return `${day}T${time}.${digits.padEnd(digits.length <= 3 ? 3 : 6, '0')}Z`;
};

const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, parseInt8],
  [builtins.TIMESTAMPTZ, parseTimestamp],
]);

/** Parsers of our pools only: the process-wide table of `pg` stays as it is. numeric stays text (pg's own default). */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format !== 'binary' ? parsers.get(oid) : undefined) ?? pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};
