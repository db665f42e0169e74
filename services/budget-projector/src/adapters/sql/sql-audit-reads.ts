import { type EpochNs, formatInstant, formatPicos, parsePicos } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import type { EventStore } from '@bursar/event-store';
import { Reservations } from '@bursar/reservations';
import { type Kysely, sql } from 'kysely';
import { AuditReads, type CellsAt } from '../../features/audit/audit-reads.js';
import { column } from './columns.js';

type Session = Kysely<Database>;

/** Rows looked at in one sample, about. */
const SAMPLE = 500;
const BUDGETS = 50;
/** A budget is passed over where what was granted together with something of it comes to more open holds than this. */
const MOST_HOLDS = 2_000;
/** Events read for all of them together: they are parsed where decisions are made. */
const MOST_GROUPS = 1_000;

/** What has to agree is read on one snapshot. */
export class SqlAuditReads extends AuditReads {
  readonly #reservations: Reservations;

  /** @param store the ledger, which says what was granted */
  constructor(
    private readonly db: Kysely<Database>,
    store: Pick<EventStore, 'readAt' | 'partitions'>,
  ) {
    super();
    this.#reservations = new Reservations(store);
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
    const snapshot = this.db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
    return snapshot.execute(async (tx) => {
      const budgets = await sampleOfHolding(tx, percent);
      return budgets.length === 0 ? [] : unbalanced(tx, budgets, await this.#heldOf(tx, budgets));
    });
  }

  /** What open holds say they hold, by tenant and budget. */
  async #heldOf(tx: Session, budgets: readonly Holding[]): Promise<ReadonlyMap<string, HeldTogether>> {
    const groups = budgets.flatMap(({ tenant, since }) => since.map((position) => ({ tenant, since: Number(position) })));
    const distinct = [...new Map(groups.map((group) => [`${group.since} ${group.tenant}`, group])).values()];
    const held = new Map<string, HeldTogether>();
    for await (const some of this.#reservations.inGroups(tx, distinct)) {
      for (const { tenant, status, granted } of some) {
        if (status !== 'held') continue;
        for (const { budgetId, amount } of granted?.terms.budgets ?? []) {
          const key = keyOf(tenant, budgetId);
          const { count, picos } = held.get(key) ?? NOTHING_HELD;
          held.set(key, { count: count + 1, picos: picos + parsePicos(amount) });
        }
      }
    }
    return held;
  }

  /** How much of a table is a sample; all of a small one. */
  async #percent(table: string): Promise<number> {
    const { rows } = await sql<{ rows: number }>`SELECT reltuples AS rows FROM pg_class WHERE oid = ${table}::regclass`.execute(this.db);
    return Math.min(100, (100 * SAMPLE) / Math.max(1, rows[0]?.rows ?? 1));
  }
}

type HeldTogether = Readonly<{ count: number; picos: bigint }>;
const NOTHING_HELD: HeldTogether = { count: 0, picos: 0n };
const keyOf = (tenant: string, budgetId: string): string => `${tenant}\u0000${budgetId}`;

/** Something may be held of it, by what was granted at these positions. */
type Holding = Readonly<{ tenant: string; budget_id: string; is_one_off: boolean; since: readonly string[] }>;

/** How much is held together is known from the groups, before any of their holds is read. */
const sampleOfHolding = async (db: Session, percent: number): Promise<readonly Holding[]> => {
  const { rows } = await sql<Holding>`
    WITH chosen AS MATERIALIZED (
      SELECT DISTINCT reserved.tenant, reserved.budget_id, budget.period_kind = 'custom' AS is_one_off
      FROM projection.reserved AS reserved TABLESAMPLE SYSTEM (${percent})
      JOIN projection.budget AS budget USING (tenant, budget_id)
      WHERE NOT budget.deleted LIMIT ${BUDGETS}
    ), held AS MATERIALIZED (
      SELECT held.tenant, budget_id, sum(held.held) AS open, array_agg(held.since) AS since
      FROM projection.hold_group AS held CROSS JOIN LATERAL unnest(held.budget_ids) AS budget_id
      WHERE held.held > 0 AND held.tenant IN (SELECT tenant FROM chosen)
      GROUP BY held.tenant, budget_id
    )
    SELECT tenant, budget_id, is_one_off, COALESCE(since, '{}')::text[] AS since FROM chosen LEFT JOIN held USING (tenant, budget_id)
    WHERE open IS NULL OR open <= ${MOST_HOLDS} ORDER BY random()`.execute(db);
  let left = MOST_GROUPS;
  return rows.filter(({ since }) => {
    const fits = since.length <= left;
    if (fits) left -= since.length;
    return fits;
  });
};

const unbalanced = async (
  db: Session,
  budgets: readonly Holding[],
  held: ReadonlyMap<string, HeldTogether>,
): Promise<readonly string[]> => {
  const heldOf = ({ tenant, budget_id }: Holding): HeldTogether => held.get(keyOf(tenant, budget_id)) ?? NOTHING_HELD;
  const { rows } = await sql<{ what: string }>`
    WITH sampled AS (
      SELECT * FROM unnest(
        ${column(budgets, 'text', ({ tenant }) => tenant)},
        ${column(budgets, 'text', ({ budget_id }) => budget_id)},
        ${column(budgets, 'bool', ({ is_one_off }) => is_one_off)},
        ${column(budgets, 'numeric', (one) => formatPicos(heldOf(one).picos))},
        ${column(budgets, 'int', (one) => heldOf(one).count)}) AS u (tenant, budget_id, is_one_off, held, count)
    ), summed AS (
      SELECT sampled.*, sum(reserved) AS reserved, min(reserved) AS lowest
      FROM sampled JOIN projection.reserved USING (tenant, budget_id) GROUP BY tenant, budget_id, is_one_off, held, count
    )
    SELECT format('%s %s: %s reserved, %s in %s open holds', tenant, budget_id, reserved, held, count) AS what
    FROM summed WHERE lowest < 0 OR reserved > held OR (reserved < held AND NOT is_one_off)`.execute(db);
  return rows.map(({ what }) => what);
};

/** NUMERIC(38,12) comes with all its zeros. */
const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
