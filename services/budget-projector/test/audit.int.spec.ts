import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { SqlAuditReads } from '../src/adapters/sql/sql-audit-reads.js';
import { StoreTreeLedger } from '../src/adapters/store/store-tree-ledger.js';
import { Audit, AuditWatch, type Invariant } from '../src/features/audit/audit.js';
import { ask, block, send, Writer } from './support/enforcement.js';
import { untilCaughtUp } from './support/exact.js';
import { metricOf, Projectors } from './support/processes.js';
import { publish, type Real, real } from './support/real.js';
import { steps, useStep } from './support/stories.js';

let at: Real;
let projectors: Projectors;
// Each test has a ledger of its own: what a story does to the tenant's budgets decides what may still be reserved.
beforeEach(async () => {
  at = await real();
  projectors = new Projectors(at);
});
afterEach(async () => {
  projectors?.killAll();
  await at?.close();
});

/** What so many looks found. */
class Found extends AuditWatch {
  readonly looks = new Map<Invariant, number>();
  readonly violations = new Map<Invariant, Set<string>>();

  checked(invariant: Invariant, violations: readonly string[]): void {
    this.looks.set(invariant, (this.looks.get(invariant) ?? 0) + 1);
    this.violations.set(invariant, new Set([...(this.violations.get(invariant) ?? []), ...violations]));
  }

  failed(_: Invariant, error: unknown): void {
    throw error;
  }
}

const look = async (times = 40): Promise<Found> => {
  const found = new Found();
  const audit = new Audit(new SqlAuditReads(at.db, at.store), new StoreTreeLedger(at.store, at.tables), () => [0], found);
  for (let n = 0; n < times; n += 1) await audit.look();
  return found;
};

test('J8 nothing is found where nothing is wrong, whatever was moved, split, voided and priced late; and what is changed by hand is', async () => {
  const projector = await projectors.start();
  await publish(at.store, steps(11, 500));
  await untilCaughtUp(at);
  // What a change of prices said of usage, and what that crossed, may be all that a look finds of the last. (An id of the first story again is no news.)
  await publish(at.store, [useStep(1), useStep(2), useStep(3)]);
  await untilCaughtUp(at);
  const clean = await look();
  expect(clean.looks.get('tree')).toBeGreaterThan(5);
  expect([...clean.violations.values()].flatMap((some) => [...some])).toEqual([]);

  await sql`UPDATE projection.rollup SET spend = spend + 0.000000000001 WHERE scope LIKE 'team:%'`.execute(at.db);
  await sql`UPDATE projection.balance SET failed_spend = spend + 1`.execute(at.db);
  const broken = await look();
  expect([...(broken.violations.get('tree') ?? [])].join('\n')).toMatch(/team:\d USD: .*, but children and direct usage come to/);
  expect(broken.violations.get('balances')?.size).toBeGreaterThan(0);
  expect(await metricOf(projector, 'bursar_invariant_violations_total')).toBeGreaterThanOrEqual(0);
});

test('J8 what a budget holds is what its open reservations come to, and whatever else it says is found', async () => {
  const projector = await projectors.start();
  const write = new Writer(at, 'audit');
  const position = await write.budget('held', { scope: 'team:held', limit: 100 }, block());
  const ids = ['a', 'b', 'c'];
  for (const id of ids) {
    const { status } = await ask(projector.url, '/reservations', { scopes: ['team:held'], amount: '2', id }, position);
    expect(status).toBe(201);
  }
  expect((await send(projector.url, 'DELETE', '/reservations/b')).status).toBe(204);
  await untilCaughtUp(at);
  expect([...((await look(5)).violations.get('holds') ?? [])]).toEqual([]);

  await sql`UPDATE projection.reserved SET reserved = reserved + 1 WHERE budget_id = 'held'`.execute(at.db);
  expect([...((await look(5)).violations.get('holds') ?? [])].join()).toMatch(/ held: 5.0* reserved, 4 in 2 open holds/);
  await sql`UPDATE projection.reserved SET reserved = -1 WHERE budget_id = 'held'`.execute(at.db);
  expect([...((await look(5)).violations.get('holds') ?? [])].join()).toMatch(/ held: -1.0* reserved, 4 in 2 open holds/);
});
