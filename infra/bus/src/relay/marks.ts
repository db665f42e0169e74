import type { PoolClient } from '@bursar/database';

/** A stream as it can be told from itself at another time. `sequence`: its last one. */
export type StreamState = Readonly<{ created: string; sequence: number }>;

/** Positions, by partition, up to which everything was fanned out by the time the stream was so. */
export type Mark = Readonly<{ state: StreamState; positions: readonly number[] }>;

type Row = Readonly<{ stream_created: string; sequence: number | string; positions: readonly number[] }>;

/** Marks older than EVENTS keeps messages say nothing any more. */
const KEEP_DAYS = 8;

/** What EVENTS held when: table `projection.relay_mark`, written through the leader's session alone. */
export class Marks {
  #last: number | null = null;

  constructor(private readonly session: PoolClient) {}

  async newest(): Promise<Mark | null> {
    const { rows } = await this.session.query<Row>(
      'SELECT stream_created, sequence, positions FROM projection.relay_mark ORDER BY id DESC LIMIT 1',
    );
    return toMark(rows[0]);
  }

  /** The newest of which the stream still has everything; null when that is none. */
  async newestWithin({ created, sequence }: StreamState): Promise<Mark | null> {
    const { rows } = await this.session.query<Row>(
      `SELECT stream_created, sequence, positions FROM projection.relay_mark
       WHERE stream_created = $1 AND sequence <= $2 ORDER BY id DESC LIMIT 1`,
      [created, sequence],
    );
    return toMark(rows[0]);
  }

  async add({ state, positions }: Mark): Promise<void> {
    const { rows } = await this.session.query<{ id: number }>(
      'INSERT INTO projection.relay_mark (stream_created, sequence, positions) VALUES ($1, $2, $3) RETURNING id',
      [state.created, state.sequence, JSON.stringify(positions)],
    );
    this.#last = rows[0]?.id ?? null;
    await this.session.query('DELETE FROM projection.relay_mark WHERE noted_at < now() - make_interval(days => $1)', [KEEP_DAYS]);
  }

  /** In place of the one added last. */
  async replace(mark: Mark): Promise<void> {
    if (this.#last === null) return await this.add(mark);
    await this.session.query('UPDATE projection.relay_mark SET stream_created = $2, sequence = $3, positions = $4 WHERE id = $1', [
      this.#last,
      mark.state.created,
      mark.state.sequence,
      JSON.stringify(mark.positions),
    ]);
  }

  /** Forgets what the stream has no longer: those sequences are given out again. */
  async forgetBeyond({ created, sequence }: StreamState): Promise<void> {
    await this.session.query('DELETE FROM projection.relay_mark WHERE stream_created = $1 AND sequence > $2', [created, sequence]);
  }
}

const toMark = (row: Row | undefined): Mark | null =>
  row === undefined
    ? null
    : { state: { created: row.stream_created, sequence: Number(row.sequence) }, positions: row.positions.map(Number) };
