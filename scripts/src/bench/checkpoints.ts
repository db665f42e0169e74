import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Positions } from './load.ts';

type Projection = 'budget' | 'breakdown' | 'relay';

/** How far the projections are, asked of the database itself. */
export class Checkpoints {
  private readonly client: Client;

  private constructor(client: Client) {
    this.client = client;
  }

  static async using<T>(databaseUrl: string, work: (checkpoints: Checkpoints) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      return await work(new Checkpoints(client));
    } finally {
      await client.end();
    }
  }

  async of(projection: Projection): Promise<Positions> {
    const { rows } = await this.client.query<{ partition: number; position: string }>({
      name: 'bench_checkpoint',
      text: 'SELECT partition, position FROM projection.checkpoint WHERE projection = $1',
      values: [projection],
    });
    return new Map(rows.map(({ partition, position }) => [partition, Number(position)]));
  }

  /** Resolves when all these positions are folded. Throws when nothing moves any more. */
  async reach(projection: Projection, positions: Positions, pollMs = 2): Promise<void> {
    let moved = { sum: -1, at: performance.now() };
    for (;;) {
      const now = await this.of(projection);
      if ([...positions].every(([partition, position]) => (now.get(partition) ?? 0) >= position)) return;
      const sum = [...now.values()].reduce((total, position) => total + position, 0);
      if (sum !== moved.sum) moved = { sum, at: performance.now() };
      if (performance.now() - moved.at > STALLED_MS) throw new Error(`projection ${projection} stands still at ${sum} events`);
      await delay(pollMs);
    }
  }

  /** Resolves when the past of every budget is added up. */
  async counted(pollMs: number): Promise<void> {
    const sql = 'SELECT 1 FROM projection.budget WHERE NOT deleted AND counted_position IS NULL LIMIT 1';
    while (((await this.client.query(sql)).rowCount ?? 0) > 0) await delay(pollMs);
  }

  /** Throws unless every event of the tenant counted: a fast figure over events without a price would say nothing. */
  async allPriced(tenant: string): Promise<void> {
    const sql = 'SELECT count(*) AS balances, sum(waiting) AS waiting FROM projection.balance WHERE tenant = $1 AND spend > 0';
    const { rows } = await this.client.query<{ balances: string; waiting: string | null }>(sql, [tenant]);
    const [found] = rows;
    if (found === undefined || Number(found.balances) === 0 || Number(found.waiting) > 0)
      throw new Error(`tenant ${tenant} has ${found?.balances ?? 0} balances and ${found?.waiting ?? 0} events without a price`);
  }

  /** Resolves when so many processes hold the partitions between them. */
  async shared(processes: number): Promise<void> {
    const deadline = performance.now() + STALLED_MS;
    const sql = "SELECT count(DISTINCT owner) AS owners FROM projection.lease WHERE consumer = 'budget' AND expires_at > now()";
    for (;;) {
      const { rows } = await this.client.query<{ owners: string }>(sql);
      if (Number(rows[0]?.owners) === processes) return;
      if (performance.now() > deadline) throw new Error(`${rows[0]?.owners} processes hold the partitions, not ${processes}`);
      await delay(50);
    }
  }
}

const STALLED_MS = 30_000;
