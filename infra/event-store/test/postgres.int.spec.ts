import { type TestDatabase, testDatabase } from '@bursar/embedded';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { append, event, events, readAll } from '../src/conformance/events.js';
import { type EventStore, StoreOverloadedError, StoreRefusedError, StoreUnavailableError } from '../src/port.js';
import type { EventStoreOptions } from '../src/postgres/options.js';
import { IDLE_IN_TRANSACTION_TIMEOUT_MS, LOCK_TIMEOUT_MS } from '../src/postgres/pools.js';
import { createEventStore } from '../src/postgres/postgres-event-store.js';
import { BEGIN } from '../src/postgres/statements.js';
import { lossyProxy } from './lossy-proxy.js';

let server: TestDatabase;
let database: TestDatabase;
let admin: pg.Client;
const opened: EventStore[] = [];

const open = async (options: Partial<EventStoreOptions> = {}, url = database.url): Promise<EventStore> => {
  const store = await createEventStore(url, { partitions: 2, ...options });
  opened.push(store);
  return store;
};

beforeAll(async () => {
  // Keeps the process's own server running between the tests' databases.
  server = await testDatabase();
});
afterAll(() => server.drop());
beforeEach(async () => {
  database = await testDatabase();
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await admin.end();
  await database.drop();
});

/** Every insert runs `body`, which may raise. */
const onInsert = async (body: string): Promise<void> => {
  await admin.query(`CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$`);
  await admin.query('CREATE TRIGGER fault BEFORE INSERT ON store.events FOR EACH ROW EXECUTE FUNCTION fault()');
};

/** Some session other than the test's has locked a head, and does nothing any more. */
const lockedHead = async (): Promise<void> => {
  const sql = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`;
  while ((await admin.query(sql)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** A COPY whose data never comes. */
class Silence implements pg.Submittable {
  constructor(private readonly text: string) {}
  submit(connection: pg.Connection): void {
    (connection as unknown as { query(text: string): void }).query(this.text);
  }
  handleCopyInResponse(): void {}
  handleError(): void {}
}

describe('opening', () => {
  test('any number of processes may start at once on an empty database', async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => open()));
    expect(await Promise.all(stores.map((store) => store.heads()))).toEqual(stores.map(() => [expect.anything(), expect.anything()]));
    const { rows } = await admin.query('SELECT count(*)::int AS versions FROM store.migrations');
    expect(rows).toEqual([{ versions: 3 }]);
  });

  test('another number of partitions is refused, whether more or fewer', async () => {
    await open();
    await expect(open({ partitions: 4 })).rejects.toThrow('installed with 2 partitions and cannot be opened with 4');
    await expect(open({ partitions: 1 })).rejects.toThrow(StoreRefusedError);
    await expect(open({ partitions: 0 })).rejects.toThrow(StoreRefusedError);
  });

  test('a database whose commits are not durable is refused, by name', async () => {
    await admin.query(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET synchronous_commit = off`);
    await expect(open()).rejects.toThrow(/StoreRefused|synchronous_commit is off/);
  });

  test('a schema newer than this release is refused', async () => {
    await open();
    await admin.query('INSERT INTO store.migrations (version) VALUES (99)');
    await expect(open()).rejects.toThrow('version 99');
  });
});

describe('appending against a server in trouble', () => {
  test.each(['40001', '40P01'])('%s is tried again until it goes through', async (code) => {
    const warnings: string[] = [];
    const store = await open({ warn: (message) => warnings.push(message) });
    // A sequence keeps counting although the transaction rolls back.
    await admin.query('CREATE SEQUENCE tries');
    await onInsert(`IF nextval('tries') < 5 THEN RAISE EXCEPTION 'busy' USING ERRCODE = '${code}'; END IF;`);
    expect(await append(store, { partition: 0, stream: 's', events: events(1) })).toEqual([
      { status: 'accepted', position: 1, revision: 0 },
    ]);
    expect(warnings).toHaveLength(4);
  });

  test('after five tries it is given up as unavailable, and nothing is stored', async () => {
    const store = await open();
    await onInsert(`RAISE EXCEPTION 'busy' USING ERRCODE = '40001';`);
    await expect(append(store, { partition: 0, stream: 's', events: events(1) })).rejects.toThrow(StoreUnavailableError);
    expect(await readAll(store, 0)).toEqual([]);
  });

  test('one request that the server refuses takes none of its group with it', async () => {
    const store = await open();
    await onInsert(`IF NEW.type = 'Poison' THEN RAISE EXCEPTION 'no' USING ERRCODE = '22000'; END IF;`);
    const poison = { ...event(), type: 'Poison' };
    const settled = await Promise.allSettled(
      [[event()], [event(), poison], [event()]].map((unit) => append(store, { partition: 0, stream: 's', events: unit })),
    );
    expect(settled.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await readAll(store, 0)).map((each) => [each.position, each.revision])).toEqual([
      [1, 0],
      [2, 1],
    ]);
  });

  test('a head row held by somebody else ends as unavailable, and the retry is stored once', async () => {
    const store = await open();
    await append(store, { partition: 0, stream: 's', events: events(1) });
    await admin.query('BEGIN');
    await admin.query('SELECT 1 FROM store.partitions WHERE partition = 0 FOR UPDATE');
    const unit = events(1);
    const held = append(store, { partition: 0, stream: 's', events: unit });
    // The other partition goes on.
    await append(store, { partition: 1, stream: 't', events: events(1) });
    await expect(held).rejects.toThrow(StoreUnavailableError);
    await admin.query('ROLLBACK');
    expect(await append(store, { partition: 0, stream: 's', events: unit })).toMatchObject([{ status: 'accepted', position: 2 }]);
  });

  test('a process frozen between the lock of a head and its write holds up nobody for longer than they wait', async () => {
    const store = await open();
    const proxy = await lossyProxy(database.url);
    try {
      const frozen = await open({}, proxy.url);
      proxy.freezeAfter(BEGIN.name);
      const stuck = expect(append(frozen, { partition: 0, stream: 's', events: events(1) })).rejects.toThrow(StoreUnavailableError);
      await lockedHead();
      const unit = events(1);
      const once = () => append(store, { partition: 0, stream: 's', events: unit });
      // PostgreSQL ends the frozen one before who waits gives up; by half a second, so on a machine that stalls at the second try.
      expect(IDLE_IN_TRANSACTION_TIMEOUT_MS).toBeLessThan(LOCK_TIMEOUT_MS);
      expect(await once().catch(once)).toMatchObject([{ position: 1 }]);
      await stuck;
    } finally {
      await proxy.close();
    }
  });

  test('a process frozen in the middle of sending an append is ended by who waits for the head', async () => {
    const warnings: string[] = [];
    const store = await open({ warn: (message) => warnings.push(message) });
    const frozen = new pg.Client({ connectionString: database.url, statement_timeout: 1_000, idle_in_transaction_session_timeout: 1_000 });
    await frozen.connect();
    const ended = new Promise((resolve) => frozen.once('error', resolve));
    await frozen.query('BEGIN; SELECT 1 FROM store.partitions WHERE partition = 0 FOR UPDATE');
    // It has said that data comes, and sends none.
    frozen.query(new Silence('COPY store.events (partition) FROM STDIN (FORMAT binary)'));
    const unit = events(1);
    // Each waits for the lock as long as anyone may; at the third one the COPY is older than a statement may be.
    const answers: string[] = [];
    while (answers.length < 5 && answers.at(-1) !== 'accepted') {
      answers.push(
        await append(store, { partition: 0, stream: 's', events: unit }).then(
          ([outcome]) => outcome?.status ?? '',
          () => 'unavailable',
        ),
      );
    }
    expect(answers.at(-1)).toBe('accepted');
    expect(warnings).toContain('1 sessions that had stopped in mid-append were ended');
    await ended;
  });

  test('a server that does not answer is given up in time', async () => {
    const store = await open({ replyTimeoutMs: 150 });
    await admin.query('BEGIN');
    await admin.query('SELECT 1 FROM store.partitions WHERE partition = 0 FOR UPDATE');
    await expect(append(store, { partition: 0, stream: 's', events: events(1) })).rejects.toThrow('no answer within 150 ms');
    await admin.query('ROLLBACK');
  });

  test('committed, but the answer was lost: the caller hears unavailable, its retry duplicate', async () => {
    await open();
    const proxy = await lossyProxy(database.url);
    try {
      const store = await open({}, proxy.url);
      await append(store, { partition: 0, stream: 's', events: events(1) });
      const unit = events(3);
      proxy.loseAnswers(true);
      await expect(append(store, { partition: 0, stream: 's', events: unit })).rejects.toThrow(StoreUnavailableError);
      proxy.loseAnswers(false);
      expect(proxy.lost()).toBeGreaterThan(0);
      expect(await append(store, { partition: 0, stream: 's', events: [...unit, event()] })).toEqual([
        { status: 'duplicate', position: 2, revision: 1 },
        { status: 'duplicate', position: 3, revision: 2 },
        { status: 'duplicate', position: 4, revision: 3 },
        { status: 'accepted', position: 5, revision: 4 },
      ]);
      expect(await store.verify(0)).toBeNull();
    } finally {
      await proxy.close();
    }
  });

  test('a store set back to an older copy under a running process gets no hole', async () => {
    const store = await open();
    for (let n = 0; n < 3; n += 1) await append(store, { partition: 0, stream: 's', events: events(2) });
    await admin.query("SET session_replication_role = 'replica'");
    await admin.query('DELETE FROM store.events WHERE position > 2');
    await admin.query('DELETE FROM store.appends WHERE last > 2');
    await admin.query(
      'UPDATE store.partitions p SET position = 2, link = a.link FROM store.appends a WHERE a.partition = p.partition AND a.last = 2',
    );
    expect(await append(store, { partition: 0, stream: 's', events: events(1) })).toEqual([
      { status: 'accepted', position: 3, revision: 2 },
    ]);
    expect(await store.verify(0)).toBeNull();
  });

  test('too much waiting is refused at once, and room comes back', async () => {
    const store = await open({ queuedEvents: 100 });
    const accepted = append(store, { partition: 0, stream: 's', events: events(100) });
    await expect(append(store, { partition: 1, stream: 't', events: events(1) })).rejects.toThrow(StoreOverloadedError);
    await accepted;
    await append(store, { partition: 1, stream: 't', events: events(1) });
    expect((await store.heads()).map((head) => head.position)).toEqual([100, 1]);
  });

  test('when the server is gone every call says unavailable', async () => {
    const proxy = await lossyProxy(database.url);
    const store = await open({ connectTimeoutMs: 500 }, proxy.url);
    await proxy.close();
    await expect(append(store, { partition: 0, stream: 's', events: events(1) })).rejects.toThrow(StoreUnavailableError);
    await expect(store.heads()).rejects.toThrow(StoreUnavailableError);
    await expect(store.clock()).rejects.toThrow(StoreUnavailableError);
    await expect(open({}, proxy.url)).rejects.toThrow(StoreUnavailableError);
  });
});

test('what is stored cannot be changed, removed or truncated by mistake', async () => {
  const store = await open();
  await append(store, { partition: 0, stream: 's', events: events(1) });
  for (const sql of [
    "UPDATE store.events SET data = '{}'",
    'DELETE FROM store.events',
    'TRUNCATE store.events',
    "UPDATE store.appends SET link = ''",
    'DELETE FROM store.appends',
    'TRUNCATE store.appends',
  ]) {
    await expect(admin.query(sql)).rejects.toThrow('what is stored never changes');
  }
});

test('a session that saw the store nearly empty does not go on scanning it when it is large', async () => {
  const store = await open({ readers: 1, writers: 1 });
  const look = async () => {
    await store.readPartition(0, 1, 1);
    await store.lookup(0, [event().id]);
    await store.revisions(['s']);
    await store.readStream('s', 1, 1);
  };
  await append(store, { partition: 0, stream: 's', events: events(2) });
  // Now the planner knows a table of one page, where a scan is the best plan.
  await admin.query('ANALYZE store.events');
  await look();
  await append(store, { partition: 0, stream: 's', events: events(3000) });
  await look();
  await store.close();
  const statistics = async () => {
    const { rows } = await admin.query<{ inserted: number; scanned: number }>(
      "SELECT n_tup_ins::int AS inserted, seq_tup_read::int AS scanned FROM pg_stat_user_tables WHERE schemaname = 'store' AND relname = 'events'",
    );
    return rows[0];
  };
  // A session's counts arrive when it ends.
  while ((await statistics())?.inserted !== 3002) await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await statistics())?.scanned).toBeLessThan(100);
});
