import { type EpochNs, type LedgerEvent, parseInstant } from '@bursar/contracts';
import type { DefinitionEvent } from '@bursar/contracts/folds';
import { PeriodState } from '../../src/domain/budget-fold.js';
import type { Ask } from '../../src/domain/holds/ask.js';
import type { HoldsChangedEvent } from '../../src/domain/holds/fold-holds.js';
import { TenantFold } from '../../src/domain/tenant-fold.js';
import { TenantHistory } from '../../src/domain/tenant-history.js';
import type { FoldMemory } from '../../src/features/fold-memory.js';
import { HoldDesk } from '../../src/features/hold-desk.js';
import { OwnChanges } from '../../src/features/own-changes.js';
import { Turns } from '../../src/features/turns.js';
import { Watermark } from '../../src/features/watermark.js';
import { definitionOf } from './stories.js';

const NOW: EpochNs = parseInstant('2026-03-01T00:00:00Z');
export const ask = (reservationId: string): Ask => ({
  reservationId,
  isCallers: true,
  bodyHash: reservationId,
  scopes: ['user:a'],
  what: { amount: 1n, currency: 'USD' },
  ttlNs: 1_000_000_000n,
});

/** Of one unit for the user who asks; it blocks. */
export const budgetOfOne = (more: Partial<ReturnType<typeof definitionOf>> = {}): TenantHistory => {
  const history = new TenantHistory('acme');
  const plain = definitionOf({
    scope: 'user:a',
    model: null,
    limit: 1,
    currency: 'USD',
    kind: 'monthly',
    percents: [],
    amount: null,
  });
  const definition = { ...plain, ...more };
  const event = {
    partition: 0,
    position: 1,
    revision: 0,
    stream: 'budget-acme.one',
    id: 'one',
    type: 'BudgetCreated',
    recordedAt: '2026-02-01T00:00:00Z',
    meta: { tenant: 'acme' },
    data: { budgetId: 'one', definition },
  } as unknown as LedgerEvent;
  history.evolve(event as DefinitionEvent);
  return history;
};

/** A desk over a tenant without budgets, or those of a history, with a store and tables that answer when they are told to. */
export const setUp = (history = new TenantHistory('acme')) => {
  const tenant = new TenantFold(history, new Map([['one', 1]]), null, []);
  for (const budget of tenant.budgets.values()) {
    const period = budget.periodAt(NOW);
    if (period === null) continue;
    for (const one of [...budget.chainBefore(period), period]) budget.periods.set(one.start, new PeriodState(budget, one));
  }
  const letGo = new Set<string>();
  const memory = {
    lookups: 0,
    known: (id: string) => (letGo.has(id) ? undefined : tenant),
    tenant: async () => tenant,
    load: async () => undefined,
  } satisfies Pick<FoldMemory, 'lookups' | 'known' | 'tenant' | 'load'>;
  const failures: Error[] = [];
  const appends: string[] = [];
  const checks: (readonly string[])[] = [];
  const on = {
    append: async (_data: string): Promise<void> => undefined,
    holds: async (): Promise<void> => undefined,
    now: (): EpochNs => NOW,
  };
  const desk = new HoldDesk({
    memory: memory as unknown as FoldMemory,
    tables: {
      holds: async () => {
        await on.holds();
        return [];
      },
    },
    ledger: {
      appendHolds: async (_partition, { data, expectedRevision }) => {
        await on.append(data);
        appends.push(data);
        return { position: appends.length, revision: expectedRevision + 1 };
      },
    },
    own: new OwnChanges(),
    turns: new Turns(),
    folded: new Watermark(1),
    makeRoom: () => undefined,
    now: () => on.now(),
    key: { partition: 0, owner: 'test', epoch: 1 },
    revision: 0,
    checked: (violations) => checks.push(violations),
    failed: (error) => failures.push(error),
  });
  return { desk, tenant, memory, on, appends, checks, failures, letGo };
};
export const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
};
export const changesOf = (appends: readonly string[]) =>
  appends.map((data) =>
    (JSON.parse(data) as HoldsChangedEvent['data']).changes.flatMap((change) =>
      change.change === 'granted' ? change.reservationIds.map((id) => `granted ${id}`) : [`${change.change} ${change.reservationId}`],
    ),
  );
export const errorsOf = async (asked: readonly Promise<unknown>[]): Promise<readonly unknown[]> =>
  (await Promise.allSettled(asked)).map((one) => (one.status === 'rejected' ? (one.reason as Error).constructor : one.value));
