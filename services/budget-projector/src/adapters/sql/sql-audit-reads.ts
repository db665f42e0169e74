import { type EpochNs, formatInstant, parsePicos } from '@bursar/contracts';
import { type Database, heldInGroups } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import { AuditReads, type CellsAt } from '../../features/audit/audit-reads.js';

/** Rows looked at in one sample, about. */
const SAMPLE = 500;
const BUDGETS = 50;
/** A budget with more open holds than this is passed over. */
const MOST_HOLDS = 2_000;

/** What has to agree is read in one statement, which is one snapshot. */
export class SqlAuditReads extends AuditReads {
  constructor(private readonly db: Kysely<Database>) {
    super();
  }

  async cells(partition: number, tenant: string, bucket: EpochNs): Promise<CellsAt> {
    const { rows } = await sql<{ position: number; scope: string | null; currency: string; spend: string }>`
      SELECT checkpoint.position, cell.scope, cell.currency, sum(cell.spend)::text AS spend
      FROM projection.checkpoint AS checkpoint
      LEFT JOIN projection.rollup AS cell ON cell.tenant = ${tenant} AND cell.bucket = ${formatInstant(bucket)}
      WHERE checkpoint.projection = 'breakdown' AND checkpoint.partition = ${partition}
      GROUP BY checkpoint.position, cell.scope, cell.currency`.execute(this.db);
    const aside = await this.db
      .selectFrom('projection.quarantine')
      .select('position')
      .where('partition', '=', partition)
      .where('tenant', '=', tenant)
      .execute();
    return {
      position: rows[0]?.position ?? 0,
      setAside: new Set(aside.map((row) => row.position)),
      cells: rows.flatMap(({ scope, currency, spend }) => (scope === null ? [] : [{ scope, currency, picos: parsePicos(trim(spend)) }])),
    };
  }

  async definitions(tenant: string): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      SELECT count(*) AS count FROM projection.definition_event WHERE projection = 'budget' AND tenant = ${tenant}`.execute(this.db);
    return Number(rows[0]?.count ?? 0);
  }

  async impossibleBalances(): Promise<readonly string[]> {
    const percent = await this.#percent('projection.balance');
    const { rows } = await sql<{ what: string }>`
      SELECT format('%s %s %s: spend %s, failed %s, events %s, waiting %s', tenant, budget_id, period_start, spend, failed_spend, events, waiting)
        AS what
      FROM projection.balance TABLESAMPLE SYSTEM (${percent})
      WHERE spend < 0 OR failed_spend < 0 OR failed_spend > spend OR events < 0 OR failed_events > events OR waiting < 0
      LIMIT ${SAMPLE}`.execute(this.db);
    return rows.map(({ what }) => what);
  }

  /** Budgets that are gone hold nothing any more, and a period that is no more of a one-off one neither: less than the holds is no fault there. */
  async unbalancedHolds(): Promise<readonly string[]> {
    const percent = await this.#percent('projection.reserved');
    const { rows } = await sql<{ what: string }>`
      WITH sampled AS (
        SELECT DISTINCT reserved.tenant, reserved.budget_id, budget.period_kind = 'custom' AS is_one_off
        FROM projection.reserved AS reserved TABLESAMPLE SYSTEM (${percent})
        JOIN projection.budget AS budget USING (tenant, budget_id)
        WHERE NOT budget.deleted LIMIT ${BUDGETS}
      ), summed AS (
        SELECT sampled.*,
          (SELECT sum(reserved) FROM projection.reserved AS r WHERE r.tenant = sampled.tenant AND r.budget_id = sampled.budget_id) AS reserved,
          (SELECT min(reserved) FROM projection.reserved AS r WHERE r.tenant = sampled.tenant AND r.budget_id = sampled.budget_id) AS lowest,
          open.count, open.held
        FROM sampled CROSS JOIN LATERAL (
          SELECT count(*) AS count, sum((part ->> 'amount')::numeric) AS held FROM (
            SELECT terms.value FROM ${heldInGroups}
            WHERE held.tenant = sampled.tenant AND held.open > 0 AND hold.status = 'held' AND sampled.budget_id = ANY (held.budget_ids)
              AND terms.value::jsonb -> 'budgets' @> jsonb_build_array(jsonb_build_object('budgetId', sampled.budget_id))
            LIMIT ${MOST_HOLDS + 1}
          ) AS holds CROSS JOIN LATERAL json_array_elements(holds.value -> 'budgets') AS part
          WHERE part ->> 'budgetId' = sampled.budget_id
        ) AS open
      )
      SELECT format('%s %s: %s reserved, %s in %s open holds', tenant, budget_id, reserved, held, count) AS what FROM summed
      WHERE count <= ${MOST_HOLDS} AND (lowest < 0 OR reserved > COALESCE(held, 0) OR (reserved < held AND NOT is_one_off))`.execute(
      this.db,
    );
    return rows.map(({ what }) => what);
  }

  /** How much of a table is a sample; all of a small one. */
  async #percent(table: string): Promise<number> {
    const { rows } = await sql<{ rows: number }>`SELECT reltuples AS rows FROM pg_class WHERE oid = ${table}::regclass`.execute(this.db);
    return Math.min(100, (100 * SAMPLE) / Math.max(1, rows[0]?.rows ?? 1));
  }
}

/** NUMERIC(38,12) comes with all its zeros. */
const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
