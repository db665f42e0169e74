import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { cruise, verdict } from './import-rules.ts';

const SCRIPTS = resolve(import.meta.dirname, '../..');
const FIXTURE = join(SCRIPTS, 'fixtures', 'import-rules');
const { forbidden } = createRequire(import.meta.url)('../../../.dependency-cruiser.cjs') as { forbidden: readonly { name: string }[] };

describe('the import rules', () => {
  const { modules, problems } = cruise(FIXTURE, ['contracts', 'infra', 'services', 'clients', 'scripts']);

  test('the seeded violations are looked at', () => expect(modules).toBeGreaterThan(10));

  test.each(forbidden.map(({ name }) => name))('%s fires on its seeded violation', (name) =>
    expect(problems.filter((problem) => problem.startsWith(`${name}: `))).not.toEqual([]),
  );

  test('a service that imports another service is named with both ends', () =>
    expect(problems).toContain('services-are-islands: services/api/src/main.ts → services/ingestion/src/handler.ts'));

  test('having looked at nothing is a failure, not a success', () => expect(verdict({ modules: 0, problems: [] })).toHaveLength(1));
});
