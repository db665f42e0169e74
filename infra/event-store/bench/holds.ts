/**
 * How a group of reservations becomes durable: the figures of docs/adr/0017. Not part of `scripts/bench`.
 *
 *     node infra/event-store/bench/holds.ts postgres://… [rounds]
 *
 * Groups of 64 grants over three budgets, one after the other on one connection, one statement and one commit each, in a fresh database:
 * packed into one event; the same with a row per hold in the same transaction, as `projection.hold` is indexed; and with the sums of its
 * budgets as well. Variants alternate round by round; printed are the median and the best.
 */
import { Client } from 'pg';

const serverUrl = process.argv[2] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const ROUNDS = Number(process.argv[3] ?? 5);
const GROUP = 64;
const GROUPS = 400;

const SCHEMA = `
  DROP TABLE IF EXISTS head, event, hold, reserved;
  CREATE TABLE head (partition int PRIMARY KEY, position bigint NOT NULL);
  INSERT INTO head VALUES (0, 0);
  CREATE TABLE event (partition int, position bigint, data text NOT NULL, PRIMARY KEY (partition, position));
  CREATE TABLE hold (tenant text, reservation_id text, partition int NOT NULL, status text NOT NULL, "grant" text, budget_ids text[] NOT NULL,
    since bigint NOT NULL, expires_at timestamptz, PRIMARY KEY (tenant, reservation_id));
  CREATE INDEX ON hold (tenant, since) WHERE status = 'held';
  CREATE INDEX ON hold (partition, expires_at) WHERE status = 'held';
  CREATE TABLE reserved (budget_id text PRIMARY KEY, reserved numeric(38,12) NOT NULL);
  INSERT INTO reserved VALUES ('team', 0), ('user', 0), ('org', 0)`;

const EVENT = `WITH moved AS (UPDATE head SET position = position + 1 WHERE partition = 0 RETURNING position),
  stored AS (INSERT INTO event SELECT 0, position, $1 FROM moved)`;
const ROWS = `, held AS (INSERT INTO hold SELECT 'acme', id, 0, 'held', body, '{team,user,org}', position, now() + interval '5 minutes'
    FROM moved, unnest($2::text[], $3::text[]) AS u (id, body))`;
const SUMS = `, summed AS (UPDATE reserved SET reserved = reserved + 64)`;

const VARIANTS = [
  { name: 'one packed event', sql: `${EVENT} SELECT 1`, rows: false },
  { name: 'packed event and a row per hold', sql: `${EVENT}${ROWS} SELECT 1`, rows: true },
  { name: 'packed event, rows and sums', sql: `${EVENT}${ROWS}${SUMS} SELECT 1`, rows: true },
] as const;

const grant = (id: string): string =>
  JSON.stringify({
    change: 'granted',
    tenant: 'acme',
    reservationId: id,
    bodyHash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    path: ['user:alice', 'team:ml', 'organization:acme', 'tenant:acme'],
    amount: '0.0125',
    currency: 'USD',
    grantedAt: '2026-11-26T10:00:00.123Z',
    expiresAt: '2026-11-26T10:05:00.123Z',
    decidedAt: 1_042,
    budgets: ['user', 'team', 'org'].map((budgetId) => ({ budgetId, periodStart: '2026-11-01T00:00:00Z', amount: '0.0125' })),
    tightest: { budgetId: 'user', remaining: '12.5', graceRemaining: '12.5' },
  });

const run = async (client: Client, { name, sql, rows }: (typeof VARIANTS)[number], round: number): Promise<number> => {
  await client.query(SCHEMA);
  const startedAt = performance.now();
  for (let group = 0; group < GROUPS; group += 1) {
    const ids = Array.from({ length: GROUP }, (_, n) => `${round}-${group}-${n}`);
    const bodies = ids.map(grant);
    await client.query({ name, text: sql, values: [`[${bodies.join(',')}]`, ...(rows ? [ids, bodies] : [])] });
  }
  await client.query('DEALLOCATE ALL');
  return (GROUPS * GROUP * 1_000) / (performance.now() - startedAt);
};

const results = new Map<string, number[]>(VARIANTS.map(({ name }) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const variant of VARIANTS) {
    const client = new Client({ connectionString: serverUrl });
    await client.connect();
    results.get(variant.name)?.push(await run(client, variant, round));
    await client.end();
  }
}
for (const [name, rates] of results) {
  const sorted = rates.toSorted((a, b) => a - b);
  const [median = 0, best = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  process.stdout.write(`${name.padEnd(36)} ${Math.round(median)} holds/s median, ${Math.round(best)} best\n`);
}
