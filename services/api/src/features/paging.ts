import type { Cursors, Place } from './cursors.js';

export type PageQuery = Readonly<{ limit: number; cursor?: string }>;
export type Page<T> = Readonly<{ data: readonly T[]; nextCursor: string | null }>;

/** One page of a list: asks `fetch` for one item more than fits, to know whether there is a next page. */
export const pageOf = async <R, T>(
  cursors: Cursors,
  tenant: string,
  /** Names the list and its filters: a cursor is of no use elsewhere. */
  list: unknown,
  query: PageQuery,
  fetch: (after: Place | null, limit: number) => Promise<readonly R[]>,
  placeOf: (row: R) => Place,
  show: (row: R) => T,
): Promise<Page<T>> => {
  const after = query.cursor === undefined ? null : cursors.read(tenant, list, query.cursor);
  const rows = await fetch(after, query.limit + 1);
  const shown = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? shown.at(-1) : undefined;
  return { data: shown.map(show), nextCursor: last === undefined ? null : cursors.write(tenant, list, placeOf(last)) };
};
