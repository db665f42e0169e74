import { type RawBuilder, sql } from 'kysely';

/** A text[] literal of one row, to travel inside an array of rows (an array of arrays would be flattened). */
export const textArray = (items: readonly string[]): string => `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;

/** One column of many rows as a single parameter. `type` is the element type the parameter is cast to. */
export const column = <R>(rows: readonly R[], type: string, read: (row: R) => unknown): RawBuilder<unknown> =>
  sql`${rows.map(read)}::${sql.raw(type)}[]`;
