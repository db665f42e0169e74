import { randomUUID } from 'node:crypto';
import { createPool, type Pool } from '@bursar/database';
import { Lease } from './lease.js';
import { OwnerDirectory, type OwnerUrls } from './owner-directory.js';
import { type LeaseView, PartitionLeases } from './partition-leases.js';

/** One to renew, one to give up meanwhile: the consumer's own connections must not keep a renewal waiting. */
const CONNECTIONS = 2;
/** Nor must those who look for owners: they are many just when leases change hands. */
const LOOKING_CONNECTIONS = 1;
/** Clocks of two machines do not run equally fast: ours ends the lease a little before the database's does. */
const DRIFT = 0.99;

export type SqlLeasesOptions = Readonly<{
  /** Of the database with the projections' schema. */
  url: string;
  /** Whose partitions: each consumer of the ledger has leases, and replicas, of its own. */
  consumer: string;
  partitions: number;
  ttlMs: number;
  /** The monotonic clock, ms. */
  now?: () => number;
  /** Where this process is asked for decisions; null: it does not listen yet. */
  ownUrl?: () => string | null;
}>;

type ViewRow = { kept: readonly number[]; replicas: Readonly<Record<string, number>> | null };

/** Leases in `projection.lease` and members in `projection.replica`, both dated by the database's clock. */
export class SqlLeases extends PartitionLeases {
  readonly replica = randomUUID();
  readonly ttlMs: number;
  private readonly consumer: string;
  private readonly partitions: number;
  private readonly now: () => number;
  private readonly ownUrl: () => string | null;
  readonly #pool: Pool;
  readonly #looking: Pool;
  readonly #owners = new OwnerDirectory(() => this.#readOwners());

  constructor({ url, consumer, partitions, ttlMs, now, ownUrl }: SqlLeasesOptions) {
    super();
    this.consumer = consumer;
    this.partitions = partitions;
    this.ttlMs = ttlMs;
    this.now = now ?? (() => performance.now());
    this.ownUrl = ownUrl ?? (() => null);
    // An answer that takes longer leaves too little of the lease; another connection may be faster.
    const limits = { statementTimeoutMs: ttlMs / 2, answerTimeoutMs: ttlMs / 2 };
    this.#pool = createPool(url, { name: `${consumer}-leases`, max: CONNECTIONS, ...limits });
    this.#looking = createPool(url, { name: `${consumer}-owners`, max: LOOKING_CONNECTIONS, ...limits });
  }

  async renew(held: readonly Lease[]): Promise<LeaseView> {
    const liveUntil = this.#liveUntil();
    const keys = held.map(({ key }) => key);
    const { rows } = await this.#pool.query<ViewRow>(RENEW, [
      this.replica,
      this.ttlMs,
      keys.map(({ partition }) => partition),
      keys.map(({ epoch }) => epoch),
      this.partitions,
      this.ownUrl(),
      this.consumer,
    ]);
    const kept = new Set(rows[0]?.kept);
    const replicas = new Map(Object.entries(rows[0]?.replicas ?? {}));
    // The statement saw the table as it was before it, when this replica may not have been there.
    replicas.set(this.replica, kept.size);
    const taken = [...replicas.values()].reduce((sum, count) => sum + count, 0);
    return { kept, liveUntil, replicas, free: Math.max(0, this.partitions - taken) };
  }

  async acquire(limit: number, except: readonly number[]): Promise<readonly Lease[]> {
    const liveUntil = this.#liveUntil();
    const values = [this.replica, this.ttlMs, this.partitions, except, limit, this.consumer];
    const { rows } = await this.#pool.query<{ partition: number; epoch: number }>(ACQUIRE, values);
    return rows.map(({ partition, epoch }) => new Lease({ partition, epoch, owner: this.replica }, liveUntil, this.now));
  }

  urlOfOwner(partition: number): Promise<string | null> {
    return this.#owners.urlOf(partition);
  }

  async release({ key }: Lease): Promise<void> {
    await this.#pool.query(
      `UPDATE projection.lease SET owner = NULL, expires_at = now()
       WHERE consumer = $4 AND partition = $1 AND owner = $2 AND epoch = $3`,
      [key.partition, key.owner, key.epoch, this.consumer],
    );
  }

  async leave(): Promise<void> {
    // Those who died are cleared away by those who leave in order.
    await this.#pool.query("DELETE FROM projection.replica WHERE replica = $1 OR expires_at < now() - interval '1 hour'", [this.replica]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.end(), this.#looking.end()]);
  }

  async #readOwners(): Promise<OwnerUrls> {
    const { rows } = await this.#looking.query<{ partition: number; url: string }>(
      `SELECT lease.partition, replica.url FROM projection.lease JOIN projection.replica ON replica.replica = lease.owner
       WHERE lease.consumer = $1 AND lease.expires_at > now() AND replica.url IS NOT NULL`,
      [this.consumer],
    );
    return new Map(rows.map(({ partition, url }) => [partition, url]));
  }

  #liveUntil(): number {
    return this.now() + this.ttlMs * DRIFT;
  }
}

/** A lease that ran out and that nobody took is renewed like any other. Leases of who is no live replica any more count as free soon. */
const RENEW = `
  WITH joined AS (
    INSERT INTO projection.replica (replica, consumer, expires_at, url) VALUES ($1, $7, now() + $2::int * interval '1 ms', $6)
    ON CONFLICT (replica) DO UPDATE SET expires_at = excluded.expires_at, url = excluded.url
  ), renewed AS (
    UPDATE projection.lease SET expires_at = now() + $2::int * interval '1 ms'
    FROM unnest($3::int[], $4::bigint[]) AS held (partition, epoch)
    WHERE lease.consumer = $7 AND lease.partition = held.partition AND lease.epoch = held.epoch AND lease.owner = $1
    RETURNING lease.partition
  )
  SELECT
    (SELECT coalesce(array_agg(partition), '{}') FROM renewed) AS kept,
    (SELECT json_object_agg(replica, held) FROM (
      SELECT replica.replica, count(lease.partition)::int AS held
      FROM projection.replica
      LEFT JOIN projection.lease ON lease.consumer = $7 AND lease.owner = replica.replica AND lease.expires_at > now() AND lease.partition < $5
      WHERE replica.consumer = $7 AND replica.expires_at > now()
      GROUP BY replica.replica
    ) AS live) AS replicas`;

/** In order of partition, so that two who take at once do not wait for each other in a circle. */
const ACQUIRE = `
  INSERT INTO projection.lease AS lease (consumer, partition, owner, epoch, expires_at)
  SELECT $6, candidate.partition, $1, 1, now() + $2::int * interval '1 ms'
  FROM generate_series(0, $3::int - 1) AS candidate (partition)
  LEFT JOIN projection.lease AS known ON known.consumer = $6 AND known.partition = candidate.partition
  WHERE (known.partition IS NULL OR known.expires_at <= now()) AND NOT candidate.partition = ANY ($4::int[])
  ORDER BY candidate.partition
  LIMIT $5
  ON CONFLICT (consumer, partition) DO UPDATE SET owner = excluded.owner, epoch = lease.epoch + 1, expires_at = excluded.expires_at
  WHERE lease.expires_at <= now()
  RETURNING partition, epoch`;
