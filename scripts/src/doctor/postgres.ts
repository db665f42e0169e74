import { DURABILITY_SETTINGS } from '@bursar/embedded';
import pg from 'pg';
import { about, type Finding } from './finding.ts';

/** Past this, "in the future" and "too old" mean something else to different machines (RELIABILITY F34). */
const LARGEST_CLOCK_OFFSET_MS = 2_000;
const OLDEST_MAJOR = 15;

/** Runs something on a connection of its own. Rejects when there is none within 5 s. */
export const withClient = async <T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, statement_timeout: 10_000 });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
};

/** Version, durability settings, room for connections and clock of a PostgreSQL. */
export const examineServer = (area: string, url: string): Promise<readonly Finding[]> =>
  withClient(url, async (client) => [
    await examineVersion(client, area),
    ...(await examineDurability(client, area)),
    await examineConnections(client, area),
    await examineClock(client, area),
  ]);

const examineVersion = async (client: pg.Client, area: string): Promise<Finding> => {
  const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version') AS version");
  const version = rows[0]?.version ?? '0';
  const text = `PostgreSQL ${version} (${OLDEST_MAJOR} or newer is needed)`;
  const { ok, bad } = about(area);
  return Number.parseInt(version, 10) >= OLDEST_MAJOR ? ok(text) : bad(text, 'upgrade it');
};

const examineDurability = async (client: pg.Client, area: string): Promise<readonly Finding[]> => {
  const query = 'SELECT name, setting AS value FROM pg_settings WHERE name = ANY($1) ORDER BY name';
  const { rows } = await client.query<{ name: string; value: string }>(query, [DURABILITY_SETTINGS]);
  const { ok, bad } = about(area);
  const off = rows.filter(({ value }) => value === 'off');
  if (off.length === 0) return [ok(rows.map(({ name, value }) => `${name} = ${value}`).join(', '))];
  return off.map(({ name }) =>
    bad(`${name} is off: a crash may lose what was answered as stored`, `ALTER SYSTEM SET ${name} = on, then restart it`),
  );
};

const examineConnections = async (client: pg.Client, area: string): Promise<Finding> => {
  const { rows } = await client.query<{ used: number; most: number }>(
    "SELECT count(*)::int AS used, current_setting('max_connections')::int AS most FROM pg_stat_activity WHERE backend_type = 'client backend'",
  );
  const { used = 0, most = 0 } = rows[0] ?? {};
  const text = `${used} of ${most} connections in use`;
  return used > most * 0.8 ? about(area).warn(text, 'raise max_connections, or run fewer replicas') : about(area).ok(text);
};

/** Halves the round trip, as NTP does: the database read its clock somewhere in between. */
const examineClock = async (client: pg.Client, area: string): Promise<Finding> => {
  const before = Date.now();
  const { rows } = await client.query<{ ms: string }>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms');
  const offsetMs = Math.round(Number(rows[0]?.ms) - (before + Date.now()) / 2);
  const text = `clock is ${offsetMs} ms off this machine's`;
  if (Math.abs(offsetMs) <= LARGEST_CLOCK_OFFSET_MS) return about(area).ok(text);
  return about(area).bad(text, 'set both by NTP; decisions follow the database, producers stamp events by theirs');
};
