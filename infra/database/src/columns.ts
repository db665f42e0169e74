import { type RawBuilder, sql } from 'kysely';

/** One column of many rows as a single parameter, for `unnest`. `type` is the element type the parameter is cast to. */
export const column = <R>(rows: readonly R[], type: string, read: (row: R) => unknown): RawBuilder<unknown> => {
  const values = rows.map(read);
  return sql`${arrayText(values) ?? values}::${sql.raw(type)}[]`;
};

/** The array as PostgreSQL reads it; null where a value is no plain one. The driver's own way looks at every value twice. */
const arrayText = (values: readonly unknown[]): string | null => {
  const texts: string[] = [];
  for (const value of values) {
    if (typeof value === 'string') texts.push(quoted(value));
    else if (value === null || value === undefined) texts.push('NULL');
    else if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') texts.push(String(value));
    else return null;
  }
  return `{${texts.join(',')}}`;
};

/** What JSON escapes in another way than an array's text does. */
const OTHERWISE_IN_JSON = /[\u0000-\u001f\ud800-\udfff]/;

/** JSON puts a backslash before quotes and backslashes as well, and the engine's own way is several times as fast on a text full of them. */
const quoted = (value: string): string => {
  if (!/["\\]/.test(value)) return `"${value}"`;
  return OTHERWISE_IN_JSON.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : JSON.stringify(value);
};
