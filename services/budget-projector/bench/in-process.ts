/**
 * The owner's own decisions in one process, without HTTP or NATS: part of `scripts/bench --only reserve`, which starts it as
 *
 *     node services/budget-projector/bench/in-process.ts <url of an empty database> '{"reserves":20000}'
 *
 * Real store, real tables, the loop as it runs in production. Prints JSON: reserves a second of 64 callers with their latencies, and checks a
 * second of one caller.
 */
import { budgetStream, contentHash, derivedId, type EventMeta, scopeStream } from '@bursar/contracts';
import { createDatabase, createPool, migrate } from '@bursar/database';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { SqlLeases } from '@bursar/leases';
import { SqlProjectionTables } from '../dist/adapters/sql/sql-projection-tables.js';
import { StoreClock } from '../dist/adapters/store/store-clock.js';
import { StoreLedger } from '../dist/adapters/store/store-ledger.js';
import { Check, type Way } from '../dist/features/check.js';
import { DecideAtOwner } from '../dist/features/decide-at-owner.js';
import { PartitionOwner } from '../dist/features/own-partitions.js';
import { Owners } from '../dist/features/owners.js';
import { ProcessShare } from '../dist/features/process-share.js';
import { Refusals } from '../dist/features/refusals.js';
import { Reserve } from '../dist/features/reserve.js';
import { PartitionRunner, ProjectorEvents } from '../dist/features/run-partition.js';

type Shape = { reserves: number; levels?: number; budgetsPerScope?: number; others?: number };

const TENANT = 'bench';
const CALLERS = 64;
/** Reserves that are not timed, first: the owner of a busy partition has compiled what it does all the time. */
const WARM_UP = 38_400;
/** Checks go on for so long, */
const CHECK_MS = 1_000;
/** and after so many the lease has its turn. */
const CHECKS_PER_TURN = 200;
const META: EventMeta = { tenant: TENANT };

class Quiet extends ProjectorEvents {
  taken(): void {}
  committed(): void {}
  quarantined(): void {}
  overtaken(): void {}
  expired(): void {}
  checked(violations: readonly string[]): void {
    if (violations.length > 0) throw new Error(violations.join('; '));
  }
  halted(_: number, error: Error): void {
    throw error;
  }
  failed(_: number, what: string, error: unknown): void {
    process.stderr.write(`${what}: ${String(error)}\n`);
  }
}
class Nobody extends Owners {
  async urlOf(): Promise<null> {
    return null;
  }
  async ask(): Promise<null> {
    return null;
  }
}
class Unrecorded extends Refusals {
  refused(): string {
    return '';
  }
}

const definition = (name: string, scope: string): object => ({
  name,
  scope,
  limit: { amount: '1000000000000', currency: 'USD' },
  period: { kind: 'monthly', timezone: 'UTC', recurring: true },
  thresholds: [
    { percent: '80', severity: 'warning', actions: ['notify'] },
    { percent: '95', severity: 'critical', actions: ['notify'] },
  ],
  levels: {},
  enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
});

const append = async (store: EventStore, stream: string, type: string, data: object): Promise<void> => {
  const event = { id: derivedId('bench', stream, type), type, version: 1, data: JSON.stringify(data), meta: JSON.stringify(META) };
  const result = await store.append({
    partition: 0,
    stream,
    events: [{ ...event, contentHash: contentHash(data) }],
    expectedRevision: 'any',
  });
  if (!result.ok) throw new Error(`append to ${stream} refused`);
};

/** Scopes above one another, a budget or more on each, and budgets elsewhere. Answers the lowest scope. */
const define = async (store: EventStore, { levels = 3, budgetsPerScope = 1, others = 0 }: Shape): Promise<string> => {
  const scopes = Array.from({ length: levels }, (_, level) => `level${level}:hot`);
  const registered = scopes.map((scope, level) => ({ scope, parents: level === 0 ? [] : [scopes[level - 1] ?? ''] }));
  for (const one of registered) {
    const event = {
      id: derivedId('bench', one.scope),
      type: 'ScopeRegistered',
      version: 1,
      data: JSON.stringify(one),
      meta: JSON.stringify(META),
    };
    const events = [{ ...event, contentHash: contentHash(one) }];
    await store.append({ partition: 0, stream: scopeStream(TENANT), events, expectedRevision: 'any' });
  }
  const budgets = scopes.flatMap((scope) =>
    Array.from({ length: budgetsPerScope }, (_, n) => ({ id: `${scope.replace(':', '-')}-${n}`, scope })),
  );
  for (let n = 0; n < others; n += 1) budgets.push({ id: `other-${n}`, scope: `user:other-${n}` });
  for (let from = 0; from < budgets.length; from += 1_000) {
    await Promise.all(
      budgets
        .slice(from, from + 1_000)
        .map(({ id, scope }) =>
          append(store, budgetStream(TENANT, id), 'BudgetCreated', { budgetId: id, definition: definition(id, scope) }),
        ),
    );
  }
  return scopes.at(-1) ?? '';
};

const main = async (url: string, shape: Shape): Promise<void> => {
  await migrate(url);
  const store = await createEventStore(url, { partitions: 1, name: 'bench' });
  const db = createDatabase(createPool(url, { name: 'bench', max: 10 }));
  const clock = new StoreClock(store, () => undefined);
  await clock.start();
  const scope = await define(store, shape);
  const leases = new SqlLeases({ url, consumer: 'budget', partitions: 1, ttlMs: 10_000, ownUrl: () => null });
  const [tables, ledger] = [new SqlProjectionTables(db, store), new StoreLedger(store, null)];
  const share = new ProcessShare({ tenants: 5_000, definitions: 50_000, periods: 100_000 });
  const tuning = { retryMs: 100, maxEvents: 1_000, pauseMs: 75, breakdownPauseMs: 400, mostPending: 5_000, now: () => clock.now() };
  const owner: PartitionOwner = new PartitionOwner(
    leases,
    1,
    (lease) => new PartitionRunner(tables, ledger, new Quiet(), tuning, share, lease),
    { lost: () => undefined, trouble: () => undefined, stuck: () => undefined },
  );
  owner.start();
  const desk = new DecideAtOwner(
    { partitions: 1, decisionsOf: (partition) => owner.decisionsOf(partition), url: () => null },
    new Nobody(),
  );
  const [reserve, check] = [new Reserve(desk, new Unrecorded()), new Check(desk, clock, 1)];
  const way: Way = {
    call: { tenant: TENANT, method: 'POST', path: '', body: () => null, prefer: null, audience: 'operator' },
    minPosition: null,
    isForwarded: true,
  } as Way;
  const head = (await store.heads())[0]?.position ?? 0;
  while ((owner.decisionsOf(0)?.position ?? 0) < head) await new Promise((resolve) => setTimeout(resolve, 50));

  const ask = { scopes: [scope], amount: '0.000001', ttlSeconds: 3_600 } as Parameters<Reserve['reserve']>[0];
  const latenciesMs: number[] = [];
  const run = (each: number, kept: number[] | null): Promise<unknown> =>
    Promise.all(
      Array.from({ length: CALLERS }, async () => {
        for (let n = 0; n < each; n += 1) {
          const at = performance.now();
          const { status } = await reserve.reserve(ask, way, null);
          if (status !== 201) throw new Error(`a reservation was answered ${status}`);
          kept?.push(performance.now() - at);
        }
      }),
    );
  const each = Math.ceil(shape.reserves / CALLERS);
  await run(Math.ceil(WARM_UP / CALLERS), null);
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
  await run(each, latenciesMs);
  const perSecond = (each * CALLERS) / ((performance.now() - startedAt) / 1_000);
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuMicros = (user + system) / (each * CALLERS);

  const question = { scopes: [scope], amount: '0.000001' } as Parameters<Check['check']>[0];
  const checksIn = async (ms: number): Promise<number> => {
    const from = performance.now();
    let checks = 0;
    for (; performance.now() - from < ms; checks += CHECKS_PER_TURN) {
      for (let n = 0; n < CHECKS_PER_TURN; n += 1) await check.check(question, way);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return checks / ((performance.now() - from) / 1_000);
  };
  await checksIn(CHECK_MS / 10);
  const checksPerSecond = await checksIn(CHECK_MS);

  process.stdout.write(JSON.stringify({ reserve: { perSecond, latenciesMs }, cpuMicros, checksPerSecond }));
  await owner.stop();
  clock.stop();
  await db.destroy();
  await store.close();
};

const [, , url = '', shape = '{}'] = process.argv;
await main(url, JSON.parse(shape) as Shape);
