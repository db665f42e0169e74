/**
 * Which rows and which insert: the figures of docs/adr/0002. Not part of `scripts/bench`.
 *
 *     npx turbo run build --filter=@bursar/event-store && node infra/event-store/bench/methods.ts postgres://…
 *
 * Every variant runs once per round in a fresh database on the given server, rounds one after the other, so that what else the
 * machine does meets all alike; printed are the median and the best of the rounds.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { createEventStore } from '../dist/index.js';
import { copyMessages } from '../dist/postgres/copy-messages.js';
import { runPipeline, type Step } from '../dist/postgres/pipeline.js';
import { ADVANCE, BEGIN, COMMIT, COPY_EVENTS, KNOWN_IDS, LOCK_HEAD, REVISIONS, type Statement } from '../dist/postgres/statements.js';
import { textArray, uuidArray } from '../dist/postgres/values.js';
import { type Row, rowsOf } from './rows.ts';

const serverUrl = process.argv[2] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const ROUNDS = Number(process.argv[3] ?? 5);
const TIMEOUT_MS = 10_000;

type Variant = Readonly<{
  name: string;
  events: number;
  size: number;
  alter: readonly string[];
  insert: (client: Client, rows: readonly Row[]) => Promise<unknown>;
}>;

const copySteps = (rows: readonly Row[]): readonly Step[] => {
  const { chunks, digest } = copyMessages(0, rows);
  return [{ statement: COPY_EVENTS, raw: chunks }, advance(rows, digest)];
};
const advance = (rows: readonly Row[], digest: () => Buffer): Step => ({
  statement: ADVANCE,
  values: () => ['0', String((rows[0]?.position ?? 1) - 1), String(rows.length), digest()],
});
const lock: Step = { statement: LOCK_HEAD, values: () => ['0'] };

const straightCopy = (client: Client, rows: readonly Row[]) => runPipeline(client, [lock, ...copySteps(rows)], TIMEOUT_MS);

const UNNEST: Statement = {
  name: 'bench_unnest',
  text: `INSERT INTO store.events (partition, position, id, stream, revision, type, version, content_hash, data, meta)
    SELECT 0, * FROM unnest($1::int8[], $2::uuid[], $3::text[], $4::int8[], $5::text[], $6::int4[], $7::bytea[], $8::text[], $9::text[])`,
};
const straightUnnest = (client: Client, rows: readonly Row[]) => {
  const { chunks, digest } = copyMessages(0, rows);
  for (const chunk of chunks) chunk();
  const values = () => [
    `{${rows.map((row) => row.position).join(',')}}`,
    uuidArray(rows.map((row) => row.id)),
    textArray(rows.map((row) => row.stream)),
    `{${rows.map((row) => row.revision).join(',')}}`,
    textArray(rows.map((row) => row.type)),
    `{${rows.map((row) => row.version).join(',')}}`,
    `{${rows.map((row) => `"\\\\x${Buffer.from(row.contentHash).toString('hex')}"`).join(',')}}`,
    textArray(rows.map((row) => row.data)),
    textArray(rows.map((row) => row.meta)),
  ];
  return runPipeline(client, [lock, { statement: UNNEST, values }, advance(rows, digest)], TIMEOUT_MS);
};

const locked = (lookUp: boolean) => async (client: Client, rows: readonly Row[]) => {
  const ids: Step = { statement: KNOWN_IDS, values: () => ['0', uuidArray(rows.map((row) => row.id))] };
  const streams: Step = { statement: REVISIONS, values: () => [textArray(['usage-bench'])] };
  await runPipeline(client, [{ statement: BEGIN }, lock, streams, ...(lookUp ? [ids] : [])], TIMEOUT_MS);
  return runPipeline(client, [...copySteps(rows), { statement: COMMIT }], TIMEOUT_MS);
};

/** Rows as text, each COPY its own transaction: for comparing tables, whatever their columns' types. */
const textCopy = async (client: Client, rows: readonly Row[]) => {
  const sink = client.query(
    copyFrom('COPY store.events (partition, position, stream, revision, id, type, version, content_hash, data, meta) FROM STDIN'),
  );
  const lines = rows.map((row) =>
    [
      0,
      row.position,
      row.stream,
      row.revision,
      row.id,
      row.type,
      row.version,
      `\\\\x${Buffer.from(row.contentHash).toString('hex')}`,
      row.data,
      row.meta,
    ].join('\t'),
  );
  if (!sink.write(`${lines.join('\n')}\n`)) await once(sink, 'drain');
  sink.end();
  await finished(sink);
};

const table = (name: string, ...alter: readonly string[]): Variant => ({
  name: `table: ${name}`,
  events: 40_000,
  size: 500,
  alter,
  insert: textCopy,
});
const method = (name: string, size: number, insert: Variant['insert']): Variant => ({
  name: `method: ${name}`,
  events: size < 10 ? 1_500 : size < 100 ? 10_000 : 40_000,
  size,
  alter: [],
  insert,
});
/** It stands in the way of other column types. */
const VIEW = 'DROP VIEW store.readable_events';
const NO_STREAM = 'ALTER TABLE store.events DROP CONSTRAINT events_stream';
const NO_ID = 'ALTER TABLE store.events DROP CONSTRAINT events_id';
const VARIANTS: readonly Variant[] = [
  table('as it is: text payload, three unique indexes'),
  table('json payload', 'ALTER TABLE store.events ALTER data TYPE json USING data::json, ALTER meta TYPE json USING meta::json'),
  table('jsonb payload', 'ALTER TABLE store.events ALTER data TYPE jsonb USING data::jsonb, ALTER meta TYPE jsonb USING meta::jsonb'),
  table(
    'stream as int4',
    NO_STREAM,
    'ALTER TABLE store.events DROP stream, ADD stream int4 NOT NULL DEFAULT 1',
    'ALTER TABLE store.events ADD CONSTRAINT events_stream UNIQUE (stream, revision)',
  ),
  table('unique (id) alone', NO_ID, 'ALTER TABLE store.events ADD CONSTRAINT events_id UNIQUE (id)'),
  table('without unique (stream, revision)', NO_STREAM),
  table('without unique (partition, id)', NO_ID),
  table('primary key only', NO_ID, NO_STREAM),
  table('recorded_at in every row', 'ALTER TABLE store.events ADD recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()'),
  ...[1, 10, 50, 100, 500, 1000].flatMap((size) => [
    method(`straight, binary COPY, ${size}`, size, straightCopy),
    method(`straight, unnest, ${size}`, size, straightUnnest),
    method(`locked, binary COPY, ${size}`, size, locked(false)),
    method(`locked, ids looked up, binary COPY, ${size}`, size, locked(true)),
  ]),
];

const measure = async ({ name, events, size, alter, insert }: Variant): Promise<number> => {
  const admin = new Client({ connectionString: serverUrl });
  await admin.connect();
  const database = `methods_${randomBytes(6).toString('hex')}`;
  await admin.query(`CREATE DATABASE ${database}`);
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  try {
    await (await createEventStore(url.href, { partitions: 1 })).close();
    return await onClient(url.href, async (client) => {
      for (const sql of [VIEW, ...alter]) await client.query(sql);
      const groups = rowsOf(events, size, name.includes('int4') ? '1' : 'usage-bench');
      await admin.query('CHECKPOINT');
      const startedAt = performance.now();
      for (const rows of groups) await insert(client, rows);
      return events / ((performance.now() - startedAt) / 1000);
    });
  } finally {
    await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
    await admin.end();
  }
};

const onClient = async <T>(url: string, use: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
};

const figures = new Map<Variant, number[]>(VARIANTS.map((variant) => [variant, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [variant, measured] of figures) measured.push(await measure(variant));
}
for (const [{ name }, measured] of figures) {
  const sorted = measured.sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  process.stdout.write(
    `${name.padEnd(60)} median ${median.toFixed(0).padStart(8)}  best ${(sorted.at(-1) ?? Number.NaN).toFixed(0).padStart(8)} rows/s\n`,
  );
}
