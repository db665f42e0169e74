import { formatInstant, type Period, parseInstant, type ScopeRef } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';

/** `currency` is empty for usage that has no price yet; `unpriced` counts it. */
export type ScopeSpend = Readonly<{ scope: ScopeRef; currency: string; spend: string; unpriced: number }>;

/** What a rollup can be grouped by; other dimensions are in the ledger only. */
export const GROUPS = ['provider', 'model', 'agent', 'campaign', 'category', 'meter', 'status'] as const;
export type Group = (typeof GROUPS)[number];
export const isGroup = (name: string): name is Group => (GROUPS as readonly string[]).includes(name);

/** Spend of one interval, group and currency. `currency` is empty for usage without a price, which has spent nothing yet. */
export type SpendCell = Readonly<{
  /** Index of the interval asked for. */
  interval: number;
  key: string | null;
  currency: string;
  spend: string;
  events: number;
  unpriced: number;
  inputTokens: string;
  outputTokens: string;
}>;

/** All that scopes ever spent: what was charged to a scope, descendants included, once each. What was voided whole is no row. */
export const totalSpend = async (db: Kysely<Database>, tenant: string, scopes: readonly ScopeRef[]): Promise<readonly ScopeSpend[]> => {
  const { rows } = await sql<ScopeSpend>`
    SELECT scope, currency, spend, unpriced FROM projection.scope_spend
    WHERE tenant = ${tenant} AND scope = ANY(${scopes}::text[]) AND (events <> 0 OR spend <> 0) ORDER BY scope, currency`.execute(db);
  return rows;
};

/** From the first to the end of the last quarter hour in which the scope has usage; null when it has none. */
export const spendSpan = async (db: Kysely<Database>, tenant: string, scope: ScopeRef): Promise<Period | null> => {
  const { rows } = await sql<{ first: string | null; last: string | null }>`
    SELECT min(bucket) AS first, max(bucket) + interval '15 minutes' AS last FROM projection.rollup
    WHERE tenant = ${tenant} AND scope = ${scope}`.execute(db);
  const [row] = rows;
  return row?.first == null || row.last === null ? null : { start: parseInstant(row.first), end: parseInstant(row.last) };
};

/** Sums of what lies in the span, per interval, group and currency; dearest first in each. Cells without usage are absent. */
export const spendCells = async (
  db: Kysely<Database>,
  tenant: string,
  scope: ScopeRef,
  span: Period,
  intervals: readonly Period[],
  by: Group | null,
): Promise<readonly SpendCell[]> => {
  const starts = intervals.map(({ start }) => formatInstant(start));
  const ends = intervals.map(({ end }) => formatInstant(end));
  const key = by === null ? sql<string | null>`NULL::text` : sql<string | null>`key::jsonb ->> ${by}::text`;
  const { rows } = await sql<SpendCell>`
    SELECT (part.number - 1)::int AS interval, ${key} AS key, currency, sum(spend) AS spend, sum(events)::bigint AS events,
      sum(unpriced)::bigint AS unpriced, sum(input_tokens) AS "inputTokens", sum(output_tokens) AS "outputTokens"
    FROM unnest(${starts}::timestamptz[], ${ends}::timestamptz[]) WITH ORDINALITY AS part(start, stop, number)
    JOIN projection.rollup ON tenant = ${tenant} AND scope = ${scope} AND bucket >= part.start AND bucket < part.stop
      AND bucket >= ${formatInstant(span.start)}::timestamptz AND bucket < ${formatInstant(span.end)}::timestamptz
    GROUP BY 1, 2, 3 HAVING sum(events) <> 0 OR sum(spend) <> 0
    ORDER BY 1, sum(spend) DESC, 2, 3`.execute(db);
  return rows;
};
