import pg from 'pg';
import { StoreRefusedError, StoreUnavailableError } from '../port.js';
import { failureOf } from './failures.js';
import { MIGRATIONS } from './schema.js';
import { unsafeSettings } from './unsafe-settings.js';

/** Any number of processes may start at once: one of them migrates. The number names this store among advisory locks. */
const MIGRATION_LOCK = 0x6275_7273;

/** Creates or migrates schema `store`, fixes or checks P, and refuses a server that could lose what it has acknowledged. */
export const install = async (url: string, partitions: number): Promise<void> => {
  const client = new pg.Client({ connectionString: url, application_name: 'bursar-event-store-install', connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    await refuseUnsafe(client);
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await migrate(client);
    await fixPartitions(client, partitions);
    await client.query('COMMIT');
  } catch (error) {
    if (error instanceof StoreRefusedError || failureOf(error) === 'refused') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreUnavailableError(`the event store cannot be opened: ${reason}`, { cause: error });
  } finally {
    await client.end();
  }
};

const refuseUnsafe = async (client: pg.Client): Promise<void> => {
  const settings = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'server_encoding')
     UNION ALL SELECT 'in_recovery', pg_is_in_recovery()::text`,
  );
  const reasons = unsafeSettings(new Map(settings.rows.map((row) => [row.name, row.setting])));
  if (reasons.length > 0) throw new StoreRefusedError(`this PostgreSQL is not safe for an event store: ${reasons.join('; ')}`);
};

const migrate = async (client: pg.Client): Promise<void> => {
  await client.query('CREATE SCHEMA IF NOT EXISTS store');
  await client.query(
    'CREATE TABLE IF NOT EXISTS store.migrations (version int4 PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const { rows } = await client.query<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM store.migrations');
  const current = rows[0]?.version ?? 0;
  if (current > MIGRATIONS.length) {
    throw new StoreRefusedError(`schema store is at version ${current}, newer than the ${MIGRATIONS.length} this release knows`);
  }
  for (const [index, sql] of MIGRATIONS.slice(current).entries()) {
    await client.query(sql);
    await client.query('INSERT INTO store.migrations (version) VALUES ($1)', [current + index + 1]);
  }
};

const fixPartitions = async (client: pg.Client, partitions: number): Promise<void> => {
  if (!Number.isSafeInteger(partitions) || partitions < 1 || partitions > 1024) {
    throw new StoreRefusedError(`the number of partitions must be between 1 and 1024, not ${partitions}`);
  }
  await client.query('INSERT INTO store.installation (partitions) VALUES ($1) ON CONFLICT DO NOTHING', [partitions]);
  const { rows } = await client.query<{ partitions: number }>('SELECT partitions FROM store.installation');
  const fixed = rows[0]?.partitions;
  if (fixed !== partitions) {
    throw new StoreRefusedError(
      `this event store was installed with ${fixed} partitions and cannot be opened with ${partitions}: tenants would change partition`,
    );
  }
  await client.query('INSERT INTO store.partitions (partition) SELECT generate_series(0, $1::int4 - 1) ON CONFLICT DO NOTHING', [
    partitions,
  ]);
};
