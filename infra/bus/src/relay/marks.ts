import type { Pool, PoolClient } from '@bursar/database';
import { RELAY, type StreamState } from './checkpoints.js';

/** EVENTS as all relays know it, and how often they have gone back. */
export type KnownStream = StreamState & { readonly rewinds: number };

type Row = Readonly<{ stream_created: string; sequence: number | string; rewinds: number | string }>;

/** Marks older than EVENTS keeps messages by default say nothing any more. */
const KEEP_SECONDS = 8 * 86_400;

/** What is known of EVENTS in the database: `projection.relay_stream`, one row, and `projection.relay_mark`, written with the checkpoints. */
export class Marks {
  constructor(private readonly pool: Pool) {}

  /** Null before anything was ever known. */
  async stream(): Promise<KnownStream | null> {
    const { rows } = await this.pool.query<Row>('SELECT stream_created, sequence, rewinds FROM projection.relay_stream');
    return toKnown(rows[0]);
  }

  /** Notes the stream when nothing is noted yet, and answers what is. */
  async begin({ created, sequence }: StreamState): Promise<KnownStream> {
    await this.pool.query(
      'INSERT INTO projection.relay_stream (stream_created, sequence, rewinds) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING',
      [created, sequence],
    );
    return (await this.stream()) ?? { created, sequence, rewinds: 0 };
  }

  /** Of each partition the position of the newest mark of which the stream still has everything; partitions without one are absent. */
  async within({ created, sequence }: StreamState): Promise<ReadonlyMap<number, number>> {
    const { rows } = await this.pool.query<{ partition: number; position: number | string }>(
      `SELECT DISTINCT ON (partition) partition, position FROM projection.relay_mark
       WHERE stream_created = $1 AND sequence <= $2 ORDER BY partition, span DESC`,
      [created, sequence],
    );
    return new Map(rows.map(({ partition, position }) => [partition, Number(position)]));
  }

  /**
   * Sets every checkpoint back to its target, where it is beyond, and raises all epochs, in one transaction: whoever fans out, in whatever
   * process, begins again there. Answers null, and does nothing, when somebody has gone back since `rewinds`; else how many events that is.
   */
  async goBack(is: StreamState, rewinds: number, targets: ReadonlyMap<number, number>): Promise<number | null> {
    const session = await this.pool.connect();
    try {
      await session.query('BEGIN');
      const events = await rewind(session, is, rewinds, targets);
      await session.query(events === null ? 'ROLLBACK' : 'COMMIT');
      session.release();
      return events;
    } catch (error) {
      // Ends the session, whatever state the transaction is in.
      session.release(true);
      throw error;
    }
  }

  /** Forgets what is too old to be of use. */
  async forgetOld(): Promise<void> {
    const { rows } = await this.pool.query<{ span: number | string }>('SELECT max(span) AS span FROM projection.relay_mark');
    const newest = Number(rows[0]?.span ?? 0);
    await this.pool.query('DELETE FROM projection.relay_mark WHERE span < $1', [newest - KEEP_SECONDS / 120]);
  }
}

const rewind = async (
  session: PoolClient,
  { created, sequence }: StreamState,
  rewinds: number,
  targets: ReadonlyMap<number, number>,
): Promise<number | null> => {
  // The checkpoints first, in order, as whoever saves them.
  const { rows: before } = await session.query<{ partition: number; position: number | string }>(
    'SELECT partition, position FROM projection.checkpoint WHERE projection = $1 ORDER BY partition FOR UPDATE',
    [RELAY],
  );
  const { rowCount } = await session.query(
    'UPDATE projection.relay_stream SET stream_created = $1, sequence = $2, rewinds = rewinds + 1 WHERE rewinds = $3',
    [created, sequence, rewinds],
  );
  if (rowCount !== 1) return null;
  const moved = before.map(({ partition, position }) => {
    const from = Number(position);
    return { partition, from, to: Math.min(from, targets.get(partition) ?? 0) };
  });
  await session.query(
    `UPDATE projection.checkpoint SET position = moved.position, epoch = epoch + 1
     FROM unnest($2::int4[], $3::int8[]) AS moved (partition, position)
     WHERE checkpoint.projection = $1 AND checkpoint.partition = moved.partition`,
    [RELAY, moved.map(({ partition }) => partition), moved.map(({ to }) => to)],
  );
  // Those sequences are given out again.
  await session.query('DELETE FROM projection.relay_mark WHERE stream_created = $1 AND sequence > $2', [created, sequence]);
  return moved.reduce((sum, { from, to }) => sum + from - to, 0);
};

const toKnown = (row: Row | undefined): KnownStream | null =>
  row === undefined ? null : { created: row.stream_created, sequence: Number(row.sequence), rewinds: Number(row.rewinds) };
