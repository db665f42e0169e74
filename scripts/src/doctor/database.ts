import { DURABILITY_SETTINGS } from '@bursar/embedded';
import pg from 'pg';
import { bad, type Finding, ok, warn } from './finding.ts';

/** More than this and "in the future" or "too old" is decided differently by different machines. */
const LARGEST_CLOCK_OFFSET_MS = 1_000;
/** Events that a projection may be behind before it deserves a look. */
const LARGEST_LAG = 10_000;

/** Version, durability settings and clock of a PostgreSQL. */
export const examineServer = async (name: string, url: string): Promise<readonly Finding[]> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version') AS version");
    const major = Number.parseInt(rows[0]?.version ?? '0', 10);
    return [
      (major >= 15 ? ok : bad)(`${name}: PostgreSQL ${rows[0]?.version} (15 or newer is needed)`),
      ...(await examineDurability(client, name)),
      await examineClock(client, name),
    ];
  });

const examineDurability = async (client: pg.Client, name: string): Promise<readonly Finding[]> => {
  const query = 'SELECT name, setting AS value FROM pg_settings WHERE name = ANY($1) ORDER BY name';
  const { rows } = await client.query<{ name: string; value: string }>(query, [DURABILITY_SETTINGS]);
  return rows.map((setting) =>
    setting.value === 'off'
      ? bad(`${name}: ${setting.name} is off: a crash may lose what was answered as stored`)
      : ok(`${name}: ${setting.name} = ${setting.value}`),
  );
};

/** Halves the round trip, as NTP does: the database read its clock somewhere in between. */
const examineClock = async (client: pg.Client, name: string): Promise<Finding> => {
  const before = Date.now();
  const { rows } = await client.query<{ ms: string }>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms');
  const offsetMs = Math.round(Number(rows[0]?.ms) - (before + Date.now()) / 2);
  return (Math.abs(offsetMs) > LARGEST_CLOCK_OFFSET_MS ? warn : ok)(`${name}: clock is ${offsetMs} ms off this machine's`);
};

/** How far each projection has folded, against the heads of the event store. */
export const examineLag = async (eventStoreUrl: string, databaseUrl: string): Promise<readonly Finding[]> => {
  const heads = await withClient(eventStoreUrl, (client) => positions(client, 'SELECT partition, position FROM store.partitions'));
  const checkpoints = await withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ projection: string; partition: number; position: string }>(
      'SELECT projection, partition, position FROM projection.checkpoint ORDER BY projection, partition',
    );
    return rows;
  });
  const total = [...heads.values()].reduce((sum, position) => sum + position, 0);
  const lags = new Map<string, number>();
  for (const { projection, partition, position } of checkpoints)
    lags.set(projection, (lags.get(projection) ?? 0) + Math.max(0, (heads.get(partition) ?? 0) - Number(position)));
  return [
    ok(`event store: ${total} events in ${heads.size} partitions`),
    ...[...lags].map(([projection, lag]) => (lag > LARGEST_LAG ? warn : ok)(`projection ${projection}: ${lag} events behind`)),
  ];
};

/** Who folds what: a partition without a live lease is folded by nobody just now. */
export const examineOwners = async (databaseUrl: string): Promise<readonly Finding[]> =>
  withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ partitions: number; owned: number; replicas: number }>(
      `SELECT count(*)::int AS partitions, count(*) FILTER (WHERE expires_at > now())::int AS owned,
         count(DISTINCT owner) FILTER (WHERE expires_at > now())::int AS replicas
       FROM projection.lease`,
    );
    const { partitions = 0, owned = 0, replicas = 0 } = rows[0] ?? {};
    return [(owned === partitions ? ok : warn)(`projector: ${owned} of ${partitions} partitions are owned, by ${replicas} processes`)];
  });

const positions = async (client: pg.Client, query: string): Promise<ReadonlyMap<number, number>> => {
  const { rows } = await client.query<{ partition: number; position: string }>(query);
  return new Map(rows.map(({ partition, position }) => [partition, Number(position)]));
};

const withClient = async <T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
};
