import type pg from 'pg';
import { formatMicros } from '../instants.js';
import { type PartitionHead, type StoredEvent, StoreUnavailableError } from '../port.js';
import { failureOf } from './failures.js';
import { KNOWN_IDS, REVISIONS } from './statements.js';

/** A page of events ends at about this many bytes of data, after at least one event. */
const PAGE_BYTES = 4 * 1024 * 1024;

const EVENT =
  'e.partition, e.position, e.stream, e.revision, e.id, e.type, e.version, e.data, e.meta, e.content_hash, store.micros(a.recorded_at)';
/** One look per event into the index of appends: an append's events share its `recordedAt`. */
const WITH_APPEND = `CROSS JOIN LATERAL (
  SELECT a.recorded_at FROM store.appends a WHERE a.partition = e.partition AND a.last >= e.position ORDER BY a.last LIMIT 1) a`;

const paged = (source: string, order: 'position' | 'revision'): string => `
  SELECT ${EVENT} FROM (
    SELECT w.*, row_number() OVER rows_so_far AS nth, sum(octet_length(data) + octet_length(meta)) OVER rows_so_far AS bytes
    FROM (${source} ORDER BY ${order} LIMIT $3) w
    WINDOW rows_so_far AS (ORDER BY ${order} ROWS UNBOUNDED PRECEDING)
  ) e ${WITH_APPEND}
  WHERE e.nth = 1 OR e.bytes <= ${PAGE_BYTES} ORDER BY e.${order}`;

const READ_PARTITION = paged('SELECT * FROM store.events WHERE partition = $1::int4 AND position > $2::int8', 'position');
const READ_STREAM = paged('SELECT * FROM store.events WHERE stream = $1::text AND revision >= $2::int8', 'revision');

type EventRow = [number, string, string, string, string, string, number, string, string, Buffer, string];

/** Every question to the store; each is one statement, hence one snapshot. */
export class Reader {
  constructor(private readonly pool: pg.Pool) {}

  async partition(partition: number, after: number, limit: number): Promise<readonly StoredEvent[]> {
    return (await this.rows<EventRow>('store_read_partition', READ_PARTITION, [partition, after, limit])).map(eventOf);
  }

  async stream(stream: string, fromRevision: number, limit: number): Promise<readonly StoredEvent[]> {
    return (await this.rows<EventRow>('store_read_stream', READ_STREAM, [stream, fromRevision, limit])).map(eventOf);
  }

  async revisions(streams: readonly string[]): Promise<readonly number[]> {
    return (await this.rows<[string]>(REVISIONS.name, REVISIONS.text, [streams])).map(([revision]) => Number(revision));
  }

  async lookup(partition: number, ids: readonly string[]): Promise<ReadonlyMap<string, { position: number; revision: number }>> {
    const rows = await this.rows<[string, string, string]>(KNOWN_IDS.name, KNOWN_IDS.text, [partition, ids]);
    return new Map(rows.map(([id, position, revision]) => [id, { position: Number(position), revision: Number(revision) }]));
  }

  async heads(): Promise<readonly PartitionHead[]> {
    const sql = 'SELECT partition, position, link, store.micros(recorded_at) FROM store.partitions ORDER BY partition';
    const rows = await this.rows<[number, string, Buffer, string | null]>('store_heads', sql, []);
    return rows.map(([partition, position, link, micros]) => {
      return { partition, position: Number(position), link, recordedAt: micros === null ? null : formatMicros(Number(micros)) };
    });
  }

  async linkAt(partition: number, position: number): Promise<Uint8Array | null> {
    const sql = 'SELECT link FROM store.appends WHERE partition = $1::int4 AND last = $2::int8';
    const [row] = await this.rows<[Buffer]>('store_link_at', sql, [partition, position]);
    return row?.[0] ?? null;
  }

  async clockMs(): Promise<number> {
    const [row] = await this.rows<[string]>('store_clock', 'SELECT store.micros(store.clock())', []);
    return Number(row?.[0]) / 1000;
  }

  async rows<R extends unknown[]>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      const result = await this.pool.query<R>({ name, text, values, rowMode: 'array' });
      return result.rows;
    } catch (error) {
      if (failureOf(error) === 'refused') throw error;
      throw new StoreUnavailableError(`the event store did not answer: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}

const eventOf = ([partition, position, stream, revision, id, type, version, data, meta, contentHash, micros]: EventRow): StoredEvent => ({
  partition,
  position: Number(position),
  stream,
  revision: Number(revision),
  id,
  type,
  version,
  data,
  meta,
  contentHash,
  recordedAt: formatMicros(Number(micros)),
});
