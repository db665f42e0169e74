import { formatMicros } from '../instants.js';
import type { KnownEvent, PartitionHead, PassedOver, Selection, StoredEvent } from '../port.js';
import { COLUMNS, type EventRow, PAGE_BYTES, SIZE } from './event-rows.js';
import type { Query } from './query.js';
import { recordedEach, recordedTimes } from './recorded-times.js';
import { SELECT_PARTITION, type SelectedRow, selectionOf, selectValues } from './select-partition.js';
import { KNOWN_IDS, REVISIONS } from './statements.js';

/** The first row's running total is its own size. */
const paged = (where: string, order: 'position' | 'revision' | 'revision DESC'): string => `
  SELECT ${COLUMNS}
  FROM (
    SELECT e.*, sum(${SIZE}) OVER (ORDER BY e.${order} ROWS UNBOUNDED PRECEDING) AS total
    FROM (SELECT * FROM store.events WHERE ${where} ORDER BY ${order} LIMIT $3::int8) e
  ) e
  WHERE e.total <= ${PAGE_BYTES} OR e.total = ${SIZE} ORDER BY e.${order}`;

// Both are dense, so a limit is also a bound. Said as a bound, no plan can read and sort all that follows, which the planner does choose
// for a table it has no statistics of yet, and which makes a rebuild quadratic.
const READ_PARTITION = paged('partition = $1::int4 AND position > $2::int8 AND position <= $2::int8 + $3::int8', 'position');
const READ_STREAM = paged('stream = $1::text AND revision >= $2::int8 AND revision < $2::int8 + $3::int8', 'revision');
const READ_BACKWARDS = paged('stream = $1::text AND revision <= $2::int8 AND revision > $2::int8 - $3::int8', 'revision DESC');

const READ_AT = `
  SELECT ${COLUMNS}
  FROM (
    SELECT e.*, sum(${SIZE}) OVER (ORDER BY e.position ROWS UNBOUNDED PRECEDING) AS total
    FROM store.events e WHERE e.partition = $1::int4 AND e.position = ANY ($2::int8[])
      AND ($3::text[] IS NULL OR EXISTS (SELECT FROM unnest($3::text[]) AS wanted WHERE strpos(e.data, wanted) > 0))
  ) e
  WHERE e.total <= ${PAGE_BYTES} OR e.total = ${SIZE} ORDER BY e.position`;

/** Every question to the store. What is committed never changes, so several statements see one truth. */
export class Reader {
  constructor(private readonly query: Query) {}

  async partition(partition: number, after: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.timed(await this.query<EventRow>('store_read_partition', READ_PARTITION, [partition, after, limit]));
  }

  async at(partition: number, positions: readonly number[], containing?: readonly string[]): Promise<readonly StoredEvent[]> {
    if (positions.length === 0) return [];
    return this.timed(await this.query<EventRow>('store_read_at', READ_AT, [partition, positions, containing ?? null]));
  }

  async select(partition: number, after: number, passedOver: PassedOver, limit: number): Promise<Selection> {
    const values = selectValues(partition, after, passedOver, limit);
    const found = await this.query<SelectedRow>('store_select_partition', SELECT_PARTITION, values);
    const { rows, through, head } = selectionOf(found, after, limit);
    return { events: await this.timed(rows), through, head };
  }

  async stream(stream: string, fromRevision: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.timed(await this.query<EventRow>('store_read_stream', READ_STREAM, [stream, fromRevision, limit]));
  }

  async streamBackwards(stream: string, fromRevision: number, limit: number): Promise<readonly StoredEvent[]> {
    const rows = await this.query<EventRow>('store_read_backwards', READ_BACKWARDS, [stream, fromRevision, limit]);
    return (await this.timed(rows.toReversed())).toReversed();
  }

  async revisions(streams: readonly string[]): Promise<readonly number[]> {
    const rows = await this.query<[string]>(REVISIONS.name, REVISIONS.text, [streams]);
    return rows.map(([revision]) => Number(revision));
  }

  async lookup(partition: number, ids: readonly string[]): Promise<ReadonlyMap<string, KnownEvent>> {
    const rows = await this.query<[string, string, string, Buffer]>(KNOWN_IDS.name, KNOWN_IDS.text, [partition, ids]);
    return new Map(
      rows.map(([id, position, revision, contentHash]) => [id, { position: Number(position), revision: Number(revision), contentHash }]),
    );
  }

  recordedTimes(partition: number, positions: readonly number[]): Promise<readonly (string | null)[]> {
    return recordedEach(this.query, partition, positions);
  }

  async heads(): Promise<readonly PartitionHead[]> {
    const sql = 'SELECT partition, position, link, store.micros(recorded_at) FROM store.partitions ORDER BY partition';
    const rows = await this.query<[number, string, Buffer, string | null]>('store_heads', sql, []);
    return rows.map(([partition, position, link, micros]) => {
      return { partition, position: Number(position), link, recordedAt: micros === null ? null : formatMicros(Number(micros)) };
    });
  }

  async settledHead(partition: number): Promise<number> {
    const sql = 'SELECT position FROM store.partitions WHERE partition = $1::int4 FOR SHARE';
    const [row] = await this.query<[string]>('store_settled_head', sql, [partition]);
    return Number(row?.[0] ?? 0);
  }

  async linkAt(partition: number, position: number): Promise<Uint8Array | null> {
    const sql = 'SELECT link FROM store.appends WHERE partition = $1::int4 AND last = $2::int8';
    const [row] = await this.query<[Buffer]>('store_link_at', sql, [partition, position]);
    return row?.[0] ?? null;
  }

  async appendEnds(partition: number, after: number, through: number): Promise<readonly number[]> {
    const sql = 'SELECT last FROM store.appends WHERE partition = $1::int4 AND last > $2::int8 AND last <= $3::int8 ORDER BY last';
    const rows = await this.query<[string]>('store_append_ends', sql, [partition, after, through]);
    return rows.map(([last]) => Number(last));
  }

  async clockMs(): Promise<number> {
    const [row] = await this.query<[string]>('store_clock', 'SELECT store.micros(store.clock())', []);
    return Number(row?.[0]) / 1000;
  }

  private async timed(rows: readonly EventRow[]): Promise<readonly StoredEvent[]> {
    const positions = rows.map((row) => Number(row[1]));
    const times = await recordedTimes(this.query, rows[0]?.[0] ?? 0, positions);
    return rows.map(([partition, , stream, revision, id, type, version, data, meta, contentHash], index) => ({
      partition,
      position: positions[index] ?? 0,
      stream,
      revision: Number(revision),
      id,
      type,
      version,
      data,
      meta,
      contentHash,
      recordedAt: times[index] ?? '',
    }));
  }
}
