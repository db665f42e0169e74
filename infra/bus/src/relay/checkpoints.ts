import type { PoolClient } from '@bursar/database';

const PROJECTION = 'relay';

/** How far the fan-out has come in each partition: table `projection.checkpoint`, written through the leader's session alone. */
export class Checkpoints {
  readonly #positions = new Map<number, number>();
  readonly #dirty = new Set<number>();
  #closed = false;

  constructor(
    private readonly session: PoolClient,
    private readonly partitions: number,
  ) {}

  async load(): Promise<void> {
    const sql = 'SELECT partition, position FROM projection.checkpoint WHERE projection = $1';
    const { rows } = await this.session.query<{ partition: number; position: number | string }>(sql, [PROJECTION]);
    for (const { partition, position } of rows) this.#positions.set(partition, Number(position));
  }

  /** Of every partition, in order. */
  get positions(): readonly number[] {
    return Array.from({ length: this.partitions }, (_, partition) => this.#positions.get(partition) ?? 0);
  }

  advance(partition: number, position: number): void {
    if (this.#closed) return;
    this.#positions.set(partition, position);
    this.#dirty.add(partition);
  }

  /** Goes back, for good: whoever still advances works on what is done again. The next term begins there. */
  async rewind(positions: readonly number[]): Promise<void> {
    for (const [partition, position] of positions.entries()) this.advance(partition, position);
    this.#closed = true;
    await this.save();
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
      [PROJECTION, moved, moved.map((partition) => this.#positions.get(partition) ?? 0)],
    );
  }
}
