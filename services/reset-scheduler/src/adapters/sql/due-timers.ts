import { type EpochNs, formatInstant, parseInstant } from '@bursar/contracts';
import { column, type Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { Timer } from '../../domain/timer.js';
import { type TimerRow, toTimer } from './timers.js';

type Session = Kysely<Database>;

/** A timer with how often its turn has failed since it last succeeded. */
export type TakenTimer = Readonly<{ timer: Timer; failures: number }>;

/** Of these tenants, and of each so many. */
export type Some = Readonly<{ tenants: readonly string[]; each: number }>;

/** Tenants looked at in one walk. */
const WALKED = 500;

/** Timers due by the instant, the longest due first, locked; what another process works on is left to it. */
export const takeTimers = async (trx: Session, partition: number, until: EpochNs, most: number): Promise<readonly TakenTimer[]> => {
  const { rows } = await sql<TimerRow>`
    SELECT tenant, budget_id, rule, open_start, expired, failures FROM scheduler.timer
    WHERE partition = ${partition} AND due_at <= ${formatInstant(until)} AND stuck IS NULL
    ORDER BY due_at LIMIT ${most} FOR UPDATE SKIP LOCKED`.execute(trx);
  return rows.map(toTaken);
};

/** As {@link takeTimers}, of some tenants. */
export const takeTimersOf = async (
  trx: Session,
  partition: number,
  until: EpochNs,
  most: number,
  { tenants, each }: Some,
): Promise<readonly TakenTimer[]> => {
  const { rows } = await sql<TimerRow>`
    SELECT timer.* FROM unnest(${column(tenants, 'text', (tenant) => tenant)}) AS asked (tenant)
    CROSS JOIN LATERAL (
      SELECT timer.tenant, budget_id, rule, open_start, expired, failures FROM scheduler.timer
      WHERE partition = ${partition} AND timer.tenant = asked.tenant AND due_at <= ${formatInstant(until)} AND stuck IS NULL
      ORDER BY due_at LIMIT ${each} FOR UPDATE SKIP LOCKED) AS timer
    LIMIT ${most}`.execute(trx);
  return rows.map(toTaken);
};

const toTaken = (row: TimerRow): TakenTimer => ({ timer: toTimer(row), failures: row.failures });

/**
 * Up to `most` tenants with timers due by the instant, in their order, those after `after` ('': from the first on); and the last that was
 * looked at, to go on after ('': there were no more). Two index probes per tenant, whatever it has.
 */
export const walkTenants = async (
  db: Session,
  partition: number,
  until: EpochNs,
  after: string,
  most: number,
): Promise<Readonly<{ tenants: readonly string[]; passed: string }>> => {
  const following = (tenant: ReturnType<typeof sql>) => sql`(
    SELECT next.tenant FROM scheduler.timer AS next WHERE next.partition = ${partition} AND next.tenant > ${tenant} AND next.stuck IS NULL
    ORDER BY next.tenant LIMIT 1)`;
  const { rows } = await sql<{ tenant: string; n: number; is_due: boolean }>`
    WITH RECURSIVE walk (tenant, n) AS (
      SELECT ${following(sql`${after}`)}, 1
      UNION ALL
      SELECT ${following(sql`walk.tenant`)}, n + 1 FROM walk WHERE walk.tenant IS NOT NULL AND n < ${WALKED}
    ), looked AS (
      SELECT walk.tenant, walk.n, EXISTS (
        SELECT FROM scheduler.timer
        WHERE partition = ${partition} AND timer.tenant = walk.tenant AND due_at <= ${formatInstant(until)} AND stuck IS NULL) AS is_due
      FROM walk WHERE walk.tenant IS NOT NULL
    )
    SELECT * FROM looked WHERE is_due OR n = ${WALKED} LIMIT ${most}`.execute(db);
  const tenants = rows.filter(({ is_due }) => is_due).map(({ tenant }) => tenant);
  const last = rows.at(-1);
  return { tenants, passed: last !== undefined && (rows.length === most || last.n === WALKED) ? last.tenant : '' };
};

/** Per partition with timers when the first is due, and the database's clock: one index probe each. */
export const firstDue = async (
  db: Session,
  partitions: number,
): Promise<Readonly<{ now: EpochNs; due: readonly Readonly<{ partition: number; dueAt: EpochNs }>[] }>> => {
  const { rows } = await sql<{ now: string; partition: number; due_at: string | null }>`
    SELECT clock_timestamp() AS now, p AS partition, (
      SELECT due_at FROM scheduler.timer WHERE partition = p AND stuck IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT 1) AS due_at
    FROM generate_series(0, ${partitions}::int - 1) AS p`.execute(db);
  return {
    now: parseInstant(rows[0]?.now ?? formatInstant(0n)),
    due: rows.flatMap(({ partition, due_at }) => (due_at === null ? [] : [{ partition, dueAt: parseInstant(due_at) }])),
  };
};

/** The database's clock. */
export const clockOf = async (db: Session): Promise<EpochNs> => {
  const { rows } = await sql<{ now: string }>`SELECT clock_timestamp() AS now`.execute(db);
  return parseInstant(rows[0]?.now ?? formatInstant(0n));
};
