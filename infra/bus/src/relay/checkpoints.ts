import type { PoolClient } from '@bursar/database';

const PROJECTION = 'relay';

/** How far the fan-out has come in each partition: table `projection.checkpoint`, written through the leader's session alone. */
export class Checkpoints {
  readonly #dirty = new Map<number, number>();

  constructor(private readonly session: PoolClient) {}

  async load(): Promise<ReadonlyMap<number, number>> {
    const sql = 'SELECT partition, position FROM projection.checkpoint WHERE projection = $1';
    const { rows } = await this.session.query<{ partition: number; position: number | string }>(sql, [PROJECTION]);
    return new Map(rows.map(({ partition, position }) => [partition, Number(position)]));
  }

  advance(partition: number, position: number): void {
    this.#dirty.set(partition, position);
  }

  /** One statement for all that moved since the last time. */
  async save(): Promise<void> {
    if (this.#dirty.size === 0) return;
    const moved = [...this.#dirty];
    this.#dirty.clear();
    await this.session.query(
      `INSERT INTO projection.checkpoint (projection, partition, position, epoch)
       SELECT $1, partition, position, 0 FROM unnest($2::int4[], $3::int8[]) AS moved (partition, position)
       ON CONFLICT (projection, partition) DO UPDATE SET position = excluded.position`,
      [PROJECTION, moved.map(([partition]) => partition), moved.map(([, position]) => position)],
    );
  }
}
