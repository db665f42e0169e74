import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { createEventStore, type EventToAppend } from '@bursar/event-store';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { usageEvents } from './append-data.ts';
import { inFreshDatabase } from './bench-database.ts';

const CHUNK_ROWS = 100;

/**
 * The limit that appends are measured against: rows per second of one text COPY over one connection into the event store's own table
 * with its indexes, the text prepared beforehand, with no lock, no look-up, no chain, and one commit at the end.
 */
export const copyLimit = (serverUrl: string, rows: number): Promise<number> =>
  inFreshDatabase(serverUrl, async (url) => {
    const store = await createEventStore(url, { partitions: 1 });
    await store.close();
    const chunks = textChunks(usageEvents('copy', rows));
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      const startedAt = performance.now();
      const sink = client.query(
        copyFrom(
          'COPY store.events (partition, position, stream, revision, id, type, version, content_hash, data, meta) FROM STDIN (FORMAT text)',
        ),
      );
      for (const chunk of chunks) if (!sink.write(chunk)) await once(sink, 'drain');
      sink.end();
      await finished(sink);
      return rows / ((performance.now() - startedAt) / 1000);
    } finally {
      await client.end();
    }
  });

const textChunks = (events: readonly EventToAppend[]): readonly Buffer[] => {
  const lines = events.map(({ id, type, version, data, meta, contentHash }, n) => {
    const hash = `\\\\x${Buffer.from(contentHash).toString('hex')}`;
    return [0, n + 1, 'usage-bench', n, id, type, version, hash, escapeText(data), escapeText(meta)].join('\t');
  });
  const chunks: Buffer[] = [];
  for (let at = 0; at < lines.length; at += CHUNK_ROWS) chunks.push(Buffer.from(`${lines.slice(at, at + CHUNK_ROWS).join('\n')}\n`));
  return chunks;
};

const escapeText = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
