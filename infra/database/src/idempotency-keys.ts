import { type Kysely, sql } from 'kysely';
import type { Database } from './schema/database.js';

/** An answer as it was given: the body is the exact text. */
export type KeptAnswer = Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: string }>;

export type Claim =
  /** Ours to answer. `since` names this use of the key, also for whoever takes over: request ids derive from it. */
  | Readonly<{ kind: 'mine'; since: string; repeated: boolean }>
  | Readonly<{ kind: 'answered'; answer: KeptAnswer }>
  | Readonly<{ kind: 'in_flight' }>
  | Readonly<{ kind: 'reused' }>;

/** Longer than any request may take (10 s): a lease that ran out belongs to a process that died. */
const LEASE_SECONDS = 15;
const KEPT_HOURS = 24;

/** Answers by tenant and Idempotency-Key, kept 24 h, table `api.idempotency`: one for all services, so that a key is one key at every address. */
export class IdempotencyKeys {
  constructor(private readonly db: Kysely<Database>) {}

  async claim(tenant: string, key: string, fingerprint: Uint8Array): Promise<Claim> {
    // One statement decides: a new key, one past its 24 h (begins anew), or one whose worker died (same use, goes on).
    const { rows } = await sql<{ created_at: string; fresh: boolean }>`
      INSERT INTO api.idempotency AS kept (tenant, key, fingerprint, leased_until)
      VALUES (${tenant}, ${key}, ${Buffer.from(fingerprint)}, now() + make_interval(secs => ${LEASE_SECONDS}))
      ON CONFLICT (tenant, key) DO UPDATE SET
        created_at = CASE WHEN ${expired} THEN now() ELSE kept.created_at END,
        fingerprint = excluded.fingerprint, leased_until = excluded.leased_until, status = NULL, headers = NULL, body = NULL
      WHERE ${expired} OR (kept.status IS NULL AND kept.leased_until < now() AND kept.fingerprint = excluded.fingerprint)
      RETURNING created_at, created_at = now() AS fresh`.execute(this.db);
    const [mine] = rows;
    if (mine !== undefined) return { kind: 'mine', since: mine.created_at, repeated: !mine.fresh };
    return this.#kept(tenant, key, fingerprint);
  }

  /** Keeps the answer for whoever sends the request again. */
  async keep(tenant: string, key: string, since: string, answer: KeptAnswer): Promise<void> {
    await this.db
      .updateTable('api.idempotency')
      .set({ status: answer.status, headers: JSON.stringify(answer.headers), body: answer.body })
      .where('tenant', '=', tenant)
      .where('key', '=', key)
      .where('created_at', '=', since)
      .execute();
  }

  /** The answer decided nothing (try again, outcome unknown): the next attempt goes on at once, under the same request id. */
  async release(tenant: string, key: string, since: string): Promise<void> {
    await this.db
      .updateTable('api.idempotency')
      .set({ leased_until: sql`now() - interval '1 microsecond'` })
      .where('tenant', '=', tenant)
      .where('key', '=', key)
      .where('created_at', '=', since)
      .where('status', 'is', null)
      .execute();
  }

  /** Forgets what is past its 24 h; answers how many. */
  async forgetExpired(): Promise<number> {
    const result = await this.db
      .deleteFrom('api.idempotency')
      .where('created_at', '<', sql<string>`now() - make_interval(hours => ${KEPT_HOURS})`)
      .execute();
    return result.reduce((count, { numDeletedRows }) => count + Number(numDeletedRows), 0);
  }

  async #kept(tenant: string, key: string, fingerprint: Uint8Array): Promise<Claim> {
    const row = await this.db
      .selectFrom('api.idempotency')
      .select(['fingerprint', 'status', 'headers', 'body'])
      .where('tenant', '=', tenant)
      .where('key', '=', key)
      .executeTakeFirst();
    if (row === undefined) return { kind: 'in_flight' }; // forgotten between the two statements: the client's next attempt begins anew
    if (Buffer.compare(row.fingerprint, fingerprint) !== 0) return { kind: 'reused' };
    if (row.status === null) return { kind: 'in_flight' };
    return { kind: 'answered', answer: { status: row.status, headers: row.headers ?? {}, body: row.body ?? '' } };
  }
}

const expired = sql`kept.created_at <= now() - make_interval(hours => ${KEPT_HOURS})`;
