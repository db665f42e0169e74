import pg from 'pg';
import { PartitionLocks } from '../../features/partition-locks.js';

/** First keys of the two-key advisory locks: any numbers, the same in every release. */
const PARTITION = 0x42_50;
const MEMBER = 0x42_4d;
/** Most processes that are counted; more still work, on what is left over. */
const SLOTS = 1_024;
const KEEP_ALIVE_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 5_000;

/** Session advisory locks of PostgreSQL on a connection of their own: released by the server when the process or the connection dies. */
export class AdvisoryLocks extends PartitionLocks {
  #client: pg.Client | null = null;
  /** The last question asked: a connection takes one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly url: string) {
    super();
  }

  async open(onLost: (error: Error) => void): Promise<void> {
    await this.close();
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'budget-projector-locks',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      connectionTimeoutMillis: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS,
    });
    const lost = (error: Error): void => {
      if (this.#client !== client) return;
      this.#client = null;
      onLost(error);
    };
    client.on('error', lost);
    client.on('end', () => lost(new Error('the connection that holds the partition locks ended')));
    await client.connect();
    this.#client = client;
    await this.#enter();
  }

  tryLock(partition: number): Promise<boolean> {
    return this.#ask('SELECT pg_try_advisory_lock($1, $2) AS yes', [PARTITION, partition]);
  }

  async unlock(partition: number): Promise<void> {
    await this.#ask('SELECT pg_advisory_unlock($1, $2) AS yes', [PARTITION, partition]);
  }

  async members(): Promise<number> {
    const rows = await this.#query<{ members: number }>(
      `SELECT count(DISTINCT pid)::int AS members FROM pg_locks
       WHERE locktype = 'advisory' AND classid = $1 AND objsubid = 2 AND granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [MEMBER],
    );
    return Math.max(1, rows[0]?.members ?? 1);
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end();
  }

  /** A slot of one's own makes this process count as a member. */
  async #enter(): Promise<void> {
    for (let slot = 0; slot < SLOTS; slot += 1) {
      if (await this.#ask('SELECT pg_try_advisory_lock($1, $2) AS yes', [MEMBER, slot])) return;
    }
  }

  async #ask(text: string, values: readonly number[]): Promise<boolean> {
    const rows = await this.#query<{ yes: boolean }>(text, values);
    return rows[0]?.yes === true;
  }

  async #query<R extends pg.QueryResultRow>(text: string, values: readonly number[]): Promise<readonly R[]> {
    const answer = this.#last.then(() => this.#session().query<R>(text, [...values]));
    this.#last = answer.catch(() => undefined); // whoever asked hears of it
    return (await answer).rows;
  }

  #session(): pg.Client {
    if (this.#client === null) throw new Error('the connection that holds the partition locks is not open');
    return this.#client;
  }
}
