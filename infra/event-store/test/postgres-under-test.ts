import { testDatabase } from '@bursar/embedded';
import pg from 'pg';
import { CONFORMANCE_PARTITIONS, type StoreUnderTest, type Tampering } from '../src/conformance/store-under-test.js';
import { createEventStore } from '../src/postgres/postgres-event-store.js';

/** The PostgreSQL adapter on an empty database, with the means to break it. */
export const postgresUnderTest = async (): Promise<StoreUnderTest> => {
  const database = await testDatabase();
  const open = () => createEventStore(database.url, { partitions: CONFORMANCE_PARTITIONS });
  const store = await open();
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  return {
    store,
    open,
    shiftClock: async (ms) => {
      await admin.query(
        `CREATE OR REPLACE FUNCTION store.clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp() + interval ''${ms} ms'''`,
      );
    },
    breakConnections: async () => {
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
    },
    tamper: async (partition, how) => {
      await admin.query("SET session_replication_role = 'replica'");
      for (const sql of tampering(how)) await admin.query(sql, [partition, how.position]);
      await admin.query("SET session_replication_role = 'origin'");
    },
    close: async () => {
      await store.close();
      await admin.end();
      await database.drop();
    },
  };
};

const WHERE = 'WHERE partition = $1 AND position = $2';

const tampering = (how: Tampering): readonly string[] => {
  switch (how.what) {
    case 'data':
      return [`UPDATE store.events SET data = '{"content":"0"}' ${WHERE}`];
    case 'meta':
      return [`UPDATE store.events SET meta = replace(meta, 'conformance', 'somebody') ${WHERE}`];
    case 'type':
      return [`UPDATE store.events SET type = 'Other' ${WHERE}`];
    case 'content hash':
      return [`UPDATE store.events SET content_hash = sha256(content_hash) ${WHERE}`];
    case 'id':
      return [`UPDATE store.events SET id = gen_random_uuid() ${WHERE}`];
    case 'recordedAt':
      return [
        "UPDATE store.appends SET recorded_at = recorded_at - interval '1 microsecond' WHERE partition = $1 AND $2 BETWEEN first AND last",
      ];
    case 'remove':
      return [`DELETE FROM store.events ${WHERE}`];
    case 'swap':
      return [
        `UPDATE store.events SET position = -1 ${WHERE}`,
        `UPDATE store.events SET position = $2 WHERE partition = $1 AND position = ${how.with}`,
        `UPDATE store.events SET position = ${how.with} WHERE partition = $1 AND position = -1 AND $2::int8 > 0`,
      ];
  }
};
