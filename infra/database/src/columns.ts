import { type RawBuilder, sql } from 'kysely';

/** One column of many rows as a single parameter, for `unnest`. `type` is the element type the parameter is cast to. */
export const column = <R>(rows: readonly R[], type: string, read: (row: R) => unknown): RawBuilder<unknown> =>
  sql`${rows.map(read)}::${sql.raw(type)}[]`;
