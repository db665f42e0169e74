import type { Database, Pool } from '@bursar/database';
import { type CompiledQuery, Kysely, PostgresDialect } from 'kysely';

type PlanNode = Readonly<{
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: readonly PlanNode[];
}>;

/** Rows of tables that PostgreSQL looked at for the queries of `work`: each is explained once it has run, in a transaction of its settings. */
export const rowsTouched = async (pool: Pool, work: (db: Kysely<Database>) => Promise<unknown>): Promise<number> => {
  const queries: CompiledQuery[] = [];
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }), log: ({ query }) => void queries.push(query) });
  await work(db);
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    let touched = 0;
    for (const { sql, parameters } of queries) {
      if (/^set local/i.test(sql)) await client.query(sql);
      if (!/^\s*(select|with)/i.test(sql)) continue;
      const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, [...parameters]);
      touched += touchedBy(rows[0]['QUERY PLAN'][0].Plan);
    }
    return touched;
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
};

const touchedBy = (node: PlanNode): number => {
  const isOfTable =
    node['Node Type'].endsWith('Scan') && !['Function Scan', 'Subquery Scan', 'CTE Scan', 'Bitmap Index Scan'].includes(node['Node Type']);
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const own = isOfTable ? (node['Actual Rows'] + removed) * node['Actual Loops'] : 0;
  return (node.Plans ?? []).reduce((sum, below) => sum + touchedBy(below), own);
};
