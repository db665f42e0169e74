import { canonicalJson, NS_PER_SECOND, PICOS_PER_UNIT, parseInstant, parsePicos } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { UndecidedHolds } from '../src/domain/holds/undecided.js';
import { HoldOracle, type OracleBudget, periodOf } from './support/hold-oracle.js';
import { budgetIdOf, HoldRun } from './support/hold-run.js';
import { type HoldStep, type HoldWorld, holdStory, type Shape } from './support/hold-stories.js';
import { MemoryTables } from './support/memory-tables.js';
import { TENANT } from './support/world.js';

const TREE = { 'user:0': ['team:0'], 'user:1': ['team:0'], 'user:2': [], 'team:0': [], 'team:1': [] };
const TEAM: Shape = {
  scope: 'team:0',
  mode: 'block',
  blockAtPercent: 100,
  limit: 0,
  currency: 'USD',
  kind: 'monthly',
  category: null,
  model: null,
  rollover: 'none',
};

const oracleBudgets = ({ budgets }: HoldWorld): readonly OracleBudget[] =>
  budgets.map((shape, index) => ({ ...shape, budgetId: budgetIdOf(index) }));

/** What tables hold by `budget period`, as the oracle's sums: where it is anything. */
const byPeriod = (
  budgets: readonly OracleBudget[],
  rows: readonly Readonly<{ budgetId: string; periodStart: string; amount: string }>[],
): ReadonlyMap<string, bigint> => {
  const found = new Map<string, bigint>();
  for (const { budgetId, periodStart, amount } of rows) {
    const budget = budgets.find((one) => one.budgetId === budgetId);
    const picos = parsePicos(amount);
    if (budget !== undefined && picos !== 0n) found.set(`${budgetId} ${periodOf(budget, parseInstant(periodStart))}`, picos);
  }
  return found;
};

/** A release says what the id stands for where it is decided; the same id is the same hold for the same body, and no hold for another. */
const expectAnswers = (run: HoldRun, oracle: HoldOracle): void => {
  const means = { held: 'released', settled: 'settled', released: 'gone', expired: 'gone', unknown: 'unknown' };
  for (const { reservationId, is, head } of run.released) {
    expect([reservationId, head, is]).toEqual([reservationId, head, means[oracle.statusAt(reservationId, head)]]);
  }
  const asked = new Set(run.released.flatMap(({ reservationId, is }) => (is === 'released' ? [reservationId] : [])));
  for (const { type, data } of run.ledger.events) {
    if (type !== 'HoldsChanged') continue;
    // What nobody released ends by its time.
    for (const change of data.changes) if (change.change === 'released') expect(asked).toContain(change.reservationId);
  }
  for (const { reservationId, bodyHash, is, says } of run.answered) {
    if (is === 'held') expect(says).toBe(`${reservationId} ${bodyHash}`);
    else expect([reservationId, oracle.bodies.get(reservationId)]).not.toEqual([reservationId, bodyHash]);
  }
};

/**
 * Whatever happens in whatever order: never past a block point, refused only without room, each budget holds its own amount, and tables
 * that a rebuild brings back.
 */
const holds = async ([world, steps]: readonly [HoldWorld, readonly HoldStep[]]): Promise<void> => {
  const run = new HoldRun(world);
  await run.open();
  try {
    for (const one of steps) await run.take(one);
    await run.settled();
    const budgets = oracleBudgets(world);
    const { events } = run.ledger;
    const oracle = new HoldOracle(budgets, events);
    expect(oracle.violations).toEqual([]);
    // What is appended is canonical already: its hash is over its text.
    for (const { type, data } of events) if (type === 'HoldsChanged') expect(JSON.stringify(data)).toBe(canonicalJson(data));
    for (const { asked, head } of run.refused) expect([asked, oracle.fits(asked, head)]).toEqual([asked, false]);
    for (const { bodyHash, grantedAt, expiresAt } of oracle.grants) {
      expect(parseInstant(expiresAt) - parseInstant(grantedAt)).toBe(run.ttlNs.get(bodyHash));
    }
    expectAnswers(run, oracle);
    const { held, spent } = oracle.sums(events.length);
    const reserved = [...run.tables.reservations.reservedRows.values()].map((row) => ({ ...row, amount: row.reserved }));
    expect(byPeriod(budgets, reserved)).toEqual(held);
    const balances = [...run.tables.balances.values()].map((row) => ({ ...row, amount: row.spend }));
    expect(byPeriod(budgets, balances)).toEqual(spent);
    // Long after: nothing is held any more.
    run.ledger.nowMs += 200_000;
    await run.expire();
    const ended = new HoldOracle(budgets, events);
    const rows = [...run.tables.reservations.holdRows.values()].map(({ reservationId, status }) => [reservationId, status]);
    expect(rows).toEqual(rows.map(([id = '']) => [id, ended.statusAt(id, events.length)]));
    expect(new Map([...run.tables.reservations.settlements.values()].map(({ position, flags }) => [position, flags]))).toEqual(ended.flags);
    expect([...run.tables.reservations.reservedRows.values()]).toEqual([]);
    expect([...run.tables.reservations.holdRows.values()].filter(({ status }) => status === 'held')).toEqual([]);
    await run.close();
    const rebuilt = new MemoryTables();
    await run.open(rebuilt);
    await run.settled();
    expect([...rebuilt.reservations.holdRows]).toEqual(expect.arrayContaining([...run.tables.reservations.holdRows]));
    expect(rebuilt.reservations.holdRows.size).toBe(run.tables.reservations.holdRows.size);
    expect([...rebuilt.reservations.settlements].sort()).toEqual([...run.tables.reservations.settlements].sort());
    expect([...rebuilt.reservations.reservedRows]).toEqual([]);
  } finally {
    await run.close();
  }
};
const holdsAlways = fc.asyncProperty(holdStory, holds);

describe('holds', () => {
  test(
    'F22, F23, F30: are never past a block point, refused only without room, and rebuilt as they were',
    () => fc.assert(holdsAlways, { numRuns: 400 }),
    120_000,
  );

  test('usage that names an id before it is granted uses it up: what names it later is charged where it says itself', async () => {
    const of = (user: string) => ({ scopes: [user], category: null, model: null, currency: 'USD' as const });
    const one = { ...of('user:0'), amount: 1, id: null, ttl: 1 };
    const use = { ...of('user:0'), amount: 1, id: 3, isPriced: true };
    const settle = { do: 'use' as const, ...use };
    const asks = [{ ...of('user:1'), amount: 1, id: 3, ttl: 1 }, one];
    // Decided before the usage is folded, so that it still takes room for the last.
    const tight = [33, 38, 30].map((amount, index) => ({ ...one, amount, id: index === 0 ? 3 : null }));
    const budgets = [
      { ...TEAM, limit: 100 },
      { ...TEAM, limit: 100, scope: 'user:0' },
    ];
    const told = (steps: readonly HoldStep[]): [[HoldWorld, readonly HoldStep[]]] => [[{ tree: TREE, budgets }, steps]];
    const examples = [told([{ do: 'ask', asks, meanwhile: use }, settle]), told([{ do: 'ask', asks: tight, meanwhile: use }])];
    await fc.assert(holdsAlways, { numRuns: 2, examples });
  });

  test('B11: what is held over the end of a period is not left over for the next, by every mode of rollover', async () => {
    const one = { scopes: ['user:0'], category: null, model: null, currency: 'USD' as const, amount: 40, id: null, ttl: 120 };
    const [meanwhile, tree] = [null, TREE];
    // A minute before midnight, ten seconds after it, and once what was held is over.
    const steps: readonly HoldStep[] = [
      { do: 'wait', seconds: 120, meanwhile },
      { do: 'ask', asks: [one], meanwhile },
      { do: 'wait', seconds: 70, meanwhile },
      { do: 'ask', asks: [one, one, { ...one, amount: 20 }], meanwhile },
      { do: 'wait', seconds: 60, meanwhile },
      { do: 'ask', asks: [one, one], meanwhile },
    ];
    const examples = (['unused', 'debt', 'both'] as const).flatMap((rollover) =>
      [100, 150].map((blockAtPercent): [[HoldWorld, readonly HoldStep[]]] => [
        [{ tree, budgets: [{ ...TEAM, kind: 'daily', limit: 40, rollover, blockAtPercent }] }, steps],
      ]),
    );
    await fc.assert(holdsAlways, { numRuns: examples.length, examples });
  });

  test('F22: the same test catches check-then-act: a desk that forgets what it has decided until that is folded', async () => {
    const { add } = UndecidedHolds.prototype;
    UndecidedHolds.prototype.add = function naive(grant) {
      return add.call(this, grant, []);
    };
    try {
      // It says that more is left than there is, too: that alone is not meant.
      const isPast = (error: unknown): boolean => String(error).includes(' past budget-');
      const naive = fc.asyncProperty(holdStory, async (one) => {
        await holds(one).catch((error: unknown) => {
          if (isPast(error)) throw error;
        });
      });
      const { failed } = await fc.check(naive, { numRuns: 400, endOnFailure: true });
      expect(failed).toBe(true);
    } finally {
      UndecidedHolds.prototype.add = add;
    }
  });

  test('IN-G21 10,000 of 1 unit against 5,000 left, in parallel: exactly 5,000 are granted', async () => {
    const run = new HoldRun({ tree: TREE, budgets: [{ ...TEAM, limit: 5_000 }] });
    await run.open();
    await run.settled();
    const { desk } = run.decisions;
    const asked = Array.from({ length: 10_000 }, (_, n) =>
      desk.reserve(TENANT, {
        reservationId: `g21-${n}`,
        isCallers: false,
        bodyHash: '',
        scopes: ['team:0'],
        what: { amount: PICOS_PER_UNIT, currency: 'USD' },
        ttlNs: NS_PER_SECOND,
      }),
    );
    const outcomes = (await Promise.all(asked)).map(({ outcome }) => outcome.is);
    expect(outcomes.filter((is) => is === 'held')).toHaveLength(5_000);
    expect(outcomes.filter((is) => is === 'refused')).toHaveLength(5_000);
    await run.close();
  });
});
