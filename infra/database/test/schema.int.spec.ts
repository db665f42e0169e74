import { readdirSync, readFileSync } from 'node:fs';
import { type TestDatabase, testDatabase } from '@bursar/embedded';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPool, migrate, type Pool } from '../src/index.js';

let home: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  home = await testDatabase();
  await migrate(home.url);
  pool = createPool(home.url, { name: 'test', max: 1 });
});

afterAll(async () => {
  await pool?.end();
  await home?.drop();
});

const DIRECTORY = new URL('../src/schema/', import.meta.url);

/** Columns of each table as `src/schema/` declares them: `name` or `name?` where null is allowed. */
const declared = (): Readonly<Record<string, readonly string[]>> => {
  const source = readdirSync(DIRECTORY)
    .map((file) => readFileSync(new URL(file, DIRECTORY), 'utf8'))
    .join('\n');
  const interfaces = new Map([...source.matchAll(/interface (\w+) \{\n([\s\S]*?)\n\}/g)].map(([, name = '', body = '']) => [name, body]));
  const tables = [...source.matchAll(/^ {2}'([\w.]+)': (\w+);/gm)];
  return Object.fromEntries(
    tables.map(([, table = '', name = '']) => [
      table,
      [...(interfaces.get(name) ?? '').matchAll(/^ {2}(\w+): (.*);$/gm)]
        .map(([, column = '', type = '']) => (type.includes('| null') ? `${column}?` : column))
        .sort(),
    ]),
  );
};

test('the typed tables are exactly those that the migrations make, column by column', async () => {
  const { rows } = await pool.query<{ table: string; columns: string[] }>(`
    SELECT table_schema || '.' || table_name AS table,
           array_agg(column_name || CASE is_nullable WHEN 'YES' THEN '?' ELSE '' END) AS columns
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'bursar', 'store') AND table_type = 'BASE TABLE'
    GROUP BY 1`);
  expect(declared()).toEqual(Object.fromEntries(rows.map(({ table, columns }) => [table, [...columns].sort()])));
});
