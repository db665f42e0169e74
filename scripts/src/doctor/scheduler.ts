import type pg from 'pg';
import { about, type Finding } from './finding.ts';
import { withClient } from './postgres.ts';

const { ok, warn, bad } = about('periods');
/** As many entries are named. */
const NAMED = 5;
/** Timers are said within 2 s of being due, and within 5 s of the scheduler's return. */
const LATE_SECONDS = 10;

type Stuck = Readonly<{ tenant: string; budget_id: string; stuck: string; stuck_since: Date }>;
type Timers = Readonly<{ timers: string; late: number | null }>;

/** What the reset-scheduler could not say, and whether it says what is due. */
export const examineScheduler = (databaseUrl: string): Promise<readonly Finding[]> =>
  withClient(databaseUrl, async (client) => {
    const { rows: stuck } = await client.query<Stuck>(
      'SELECT tenant, budget_id, stuck, stuck_since FROM scheduler.timer WHERE stuck IS NOT NULL ORDER BY stuck_since',
    );
    const { rows } = await client.query<Timers>(`
      SELECT count(*) AS timers, extract(epoch FROM clock_timestamp() - min(due_at) FILTER (WHERE stuck IS NULL))::float AS late
      FROM scheduler.timer`);
    const { timers = '0', late = null } = rows[0] ?? {};
    return [
      examineDue(timers, late),
      ...(await examineTimeZoneData(client)),
      ...stuck.slice(0, NAMED).map(describeStuck),
      ...more(stuck.length),
    ];
  });

const examineDue = (timers: string, late: number | null): Finding =>
  late !== null && late > LATE_SECONDS
    ? warn(
        `${timers} timers, the first is due since ${late.toFixed(0)} s`,
        'is a reset-scheduler running? budgets reset without it, notices wait',
      )
    : ok(`${timers} timers, none late`);

/** Boundaries are computed with what Node brings (RELIABILITY F32); nothing is noted before the first scheduler has started. */
const examineTimeZoneData = async (client: pg.Client): Promise<readonly Finding[]> => {
  const { rows } = await client.query<{ version: string; since: Date }>(
    'SELECT version, since FROM scheduler.time_zone_data ORDER BY since DESC LIMIT 2',
  );
  const [used, before] = rows;
  if (used === undefined) return [];
  const text = `time zone data ${used.version} since ${used.since.toISOString()}${before === undefined ? '' : `, ${before.version} before`}`;
  const here = process.versions.tz;
  if (here === used.version) return [ok(text)];
  return [warn(`${text}; of this Node ${here}`, 'run every process on one version of Node: two compute boundaries that differ')];
};

const describeStuck = ({ tenant, budget_id, stuck, stuck_since }: Stuck): Finding =>
  bad(
    `the period of budget ${budget_id} of ${tenant} could not be ended since ${stuck_since.toISOString()}: ${stuck}`,
    'see the log of reset-scheduler, then: scripts/doctor --retry',
  );

const more = (count: number): readonly Finding[] =>
  count > NAMED ? [bad(`${count - NAMED} more are stuck`, 'scripts/doctor --retry')] : [];

/** Gives every stuck entry its turn again; answers how many there were. */
export const retryStuck = (databaseUrl: string): Promise<number> =>
  withClient(databaseUrl, async (client) => {
    const { rowCount } = await client.query(
      'UPDATE scheduler.timer SET stuck = NULL, stuck_since = NULL, failures = 0, due_at = clock_timestamp() WHERE stuck IS NOT NULL',
    );
    return rowCount ?? 0;
  });
