import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Bus, connectBus, decodeStored } from '@bursar/bus';
import {
  type BudgetDefinition,
  balanceStream,
  budgetStream,
  contentHash,
  type EventOf,
  type LedgerEvent,
  type LedgerEventType,
  partitionOf,
  usageStream,
} from '@bursar/contracts';
import { createDatabase, createPool, type Database } from '@bursar/database';
import { freePort, testDatabase, testNats } from '@bursar/embedded';
import { createEventStore, type EventStore } from '@bursar/event-store';
import type { Kysely } from 'kysely';
import { BUDGET, TENANT } from './events.js';

export const PARTITIONS = 2;
const ADMIN_KEY = 'bsr_test_0123456789abcdef';

/** A process of a built service, as `up` starts it. */
export type Process = Readonly<{ kill(): Promise<void>; signal(name: 'SIGSTOP' | 'SIGCONT'): void }>;

/** A real ledger and database with a projector, and as many schedulers as a test starts. The test appends what the api would. */
export type World = Readonly<{
  url: string;
  store: EventStore;
  /** Without NATS: what the test appends is heard of in its own process alone. */
  bus: Bus;
  db: Kysely<Database>;
  scheduler(): Promise<Process>;
  close(): Promise<void>;
}>;

export const startWorld = async (): Promise<World> => {
  const [database, nats] = await Promise.all([testDatabase(), testNats()]);
  const env = {
    DATABASE_URL: database.url,
    EVENT_STORE_URL: database.url,
    NATS_URL: nats.url,
    BURSAR_ADMIN_KEY: ADMIN_KEY,
    PARTITIONS: String(PARTITIONS),
    LOG_LEVEL: 'error',
  };
  const store = await createEventStore(database.url, { partitions: PARTITIONS, name: 'test' });
  const bus = await connectBus({ name: 'test' });
  store.onAppended((range) => bus.publishRange(range));
  const children = new Set<ChildProcess>();
  await launch('budget-projector', env, children);
  const db = createDatabase(createPool(database.url, { name: 'test', max: 4 }));
  return {
    url: database.url,
    store,
    bus,
    db,
    scheduler: () => launch('reset-scheduler', env, children),
    close: async () => {
      for (const child of children) child.kill('SIGKILL');
      await bus.close();
      await store.close();
      await db.destroy();
      await Promise.all([database.drop(), nats.stop()]);
    },
  };
};

const launch = async (service: string, env: Readonly<Record<string, string>>, children: Set<ChildProcess>): Promise<Process> => {
  const main = fileURLToPath(new URL(`../../../${service}/dist/main.js`, import.meta.url));
  const port = await freePort();
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    env: { ...process.env, NODE_OPTIONS: '', ...env, PORT: String(port) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.add(child);
  await eventually(
    () =>
      fetch(`http://127.0.0.1:${port}/livez`).then(
        async (answer) => {
          await answer.body?.cancel();
          return answer.ok;
        },
        () => false,
      ),
    (isUp) => isUp || child.exitCode !== null,
  );
  return {
    signal: (name) => void child.kill(name),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      children.delete(child);
    },
  };
};

/** Asks until the answer is as it should be; gives up after a minute and a half, with what there was. */
export const eventually = async <T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> => {
  for (const end = Date.now() + 90_000; ; ) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    if (Date.now() > end) throw new Error(`it never came: ${JSON.stringify(answer)?.slice(0, 2_000)}`);
    await delay(30);
  }
};

let ids = 0;
const append = async <T extends LedgerEventType>(
  { store }: World,
  tenant: string,
  stream: string,
  events: readonly Readonly<{ type: T; data: EventOf<T>['data'] }>[],
): Promise<number> => {
  const result = await store.append({
    partition: partitionOf(tenant, PARTITIONS),
    stream,
    expectedRevision: 'any',
    events: events.map(({ type, data }) => {
      ids += 1;
      const id = `00000000-0000-4000-8000-${String(ids).padStart(12, '0')}`;
      return { id, type, version: 1, data: JSON.stringify(data), meta: JSON.stringify({ tenant }), contentHash: contentHash({ id }) };
    }),
  });
  const [first] = result.ok ? result.outcomes : [];
  if (first === undefined) throw new Error('nothing was appended');
  return first.position;
};

let budgets = 0;
/** Appends `BudgetCreated` and answers the id. */
export const makeBudget = async (world: World, changes: Partial<BudgetDefinition>, tenant = TENANT): Promise<string> => {
  budgets += 1;
  const budgetId = `budget-${budgets}`;
  const definition = { ...BUDGET, scope: `team:${budgetId}`, ...changes };
  await append(world, tenant, budgetStream(tenant, budgetId), [{ type: 'BudgetCreated', data: { budgetId, definition } }]);
  return budgetId;
};

export const command = <T extends 'BudgetChanged' | 'BudgetDeleted' | 'BudgetReset' | 'OverrideGranted' | 'BudgetPaused'>(
  world: World,
  type: T,
  data: EventOf<T>['data'],
): Promise<number> => append(world, TENANT, budgetStream(TENANT, data.budgetId), [{ type, data }]);

let usages = 0;
/** Appends usage of a budget's own scope that happened at an instant. */
export const use = async (world: World, budgetId: string, amount: string, occurredAt = new Date().toISOString()): Promise<number> => {
  usages += 1;
  const data = {
    id: `u${usages}`,
    source: 'test',
    occurredAt,
    scopes: [`team:${budgetId}`],
    cost: { amount, currency: 'USD' },
    status: 'succeeded' as const,
  };
  return append(world, TENANT, usageStream(TENANT), [{ type: 'UsageRecorded', data }]);
};

/** What the scheduler and the projector said of a budget, in the order of the ledger. */
export const said = async ({ store }: World, budgetId: string, tenant = TENANT): Promise<readonly LedgerEvent[]> => {
  const events: LedgerEvent[] = [];
  for (let from = 0; ; ) {
    const page = await store.readStream(balanceStream(tenant, budgetId), from, 500);
    events.push(...page.map(decodeStored));
    from += page.length;
    if (page.length === 0) return events;
  }
};

export const saidOf = async <T extends LedgerEventType>(
  world: World,
  budgetId: string,
  type: T,
  tenant = TENANT,
): Promise<readonly EventOf<T>[]> =>
  (await said(world, budgetId, tenant)).filter((event): event is EventOf<T> & LedgerEvent => event.type === type);
