import { setTimeout as delay } from 'node:timers/promises';
import { budgetStream, contentHash, derivedId, partitionOf, scopeStream, tenantStream, usageStream } from '@bursar/contracts';
import { createEventStore, type EventStore, type EventToAppend, StoreUnavailableError } from '@bursar/event-store';
import type { Positions } from './load.ts';
import type { RunningSystem } from './system.ts';

/** What `scripts/up` gives the services. */
const PARTITIONS = 16;
/** Events of one append, and appends in flight: the store commits those that come together in one group. */
const UNIT = 500;
const TOGETHER = 400;
const ATTEMPTS = 20;
const RETRY_MS = 500;
/** Children of one scope: a tree of three levels below the organisation. */
const FAN_OUT = 50;

const toAppend = (tenant: string, id: string, type: string, data: object): EventToAppend => ({
  id: derivedId('bench', tenant, id),
  type,
  version: 1,
  data: JSON.stringify(data),
  meta: JSON.stringify({ tenant, actor: 'bench', via: 'bench' }),
  contentHash: contentHash(data),
});

/** Appends straight to the store, as fast as it takes them; where the last of each partition went. */
export class LedgerWriter {
  readonly #store: EventStore;
  readonly #last = new Map<number, number>();

  private constructor(store: EventStore) {
    this.#store = store;
  }

  static async using<T>(system: RunningSystem, work: (writer: LedgerWriter) => Promise<T>): Promise<T> {
    const store = await createEventStore(system.eventStoreUrl, { partitions: PARTITIONS, name: 'bench' });
    try {
      return await work(new LedgerWriter(store));
    } finally {
      await store.close();
    }
  }

  partitionOf(tenant: string): number {
    return partitionOf(tenant, PARTITIONS);
  }

  get positions(): Positions {
    return this.#last;
  }

  /** An organisation, its teams of 50 users each, and a budget on each user until there are so many; answers a budget's id. */
  async tenant(tenant: string, budgets: number): Promise<string> {
    const teams = Array.from({ length: Math.ceil(budgets / FAN_OUT) }, (_, n) => n);
    const scopes = [
      { scope: 'organization:acme', parents: [] as string[] },
      ...[...new Set(teams.map((team) => Math.floor(team / FAN_OUT)))].map((n) => ({
        scope: `department:d${n}`,
        parents: ['organization:acme'],
      })),
      ...teams.map((n) => ({ scope: `team:t${n}`, parents: [`department:d${Math.floor(n / FAN_OUT)}`] })),
      ...Array.from({ length: budgets }, (_, n) => ({ scope: `user:u${n}`, parents: [`team:t${Math.floor(n / FAN_OUT)}`] })),
    ];
    await this.#stream(
      tenant,
      scopeStream(tenant),
      scopes.map((data) => toAppend(tenant, data.scope, 'ScopeRegistered', data)),
    );
    for (let from = 0; from < budgets; from += TOGETHER) {
      const some = Array.from({ length: Math.min(TOGETHER, budgets - from) }, (_, n) => from + n);
      await Promise.all(some.map((n) => this.#budget(tenant, n)));
    }
    return budgetId(tenant, 0);
  }

  /** A list that prices the tokens of one model; answers its id. */
  async prices(tenant: string): Promise<string> {
    const listId = derivedId('bench-prices', tenant);
    const price = (unit: string, amount: string) => ({ meter: 'llm.tokens', match: { model: PRICED_MODEL }, unit, amount, per: 1_000_000 });
    const prices = [price('inputTokens', '2.5'), price('outputTokens', '10')];
    const list = { listId, name: 'bench', currency: 'USD', effectiveFrom: '2020-01-01T00:00:00Z', prices };
    await this.#stream(tenant, tenantStream(tenant), [toAppend(tenant, listId, 'PriceListCreated', list)]);
    return listId;
  }

  /**
   * Usage of 20 of its users, each event about 300 bytes, spread over the last hours. `priced`: every third states no cost, and is charged
   * by the price list.
   */
  async usage(tenant: string, events: number, { priced = false }: Readonly<{ priced?: boolean }> = {}): Promise<void> {
    const now = Date.now();
    const at = (n: number): string => new Date(now - 3_600_000 + Math.floor((n / events) * 3_500_000)).toISOString();
    for (let from = 0; from < events; from += UNIT * TOGETHER) {
      const size = Math.min(UNIT * TOGETHER, events - from);
      const some = Array.from({ length: size }, (_, n) => usageEvent(tenant, from + n, at(from + n), priced));
      await this.#stream(tenant, usageStream(tenant), some);
    }
  }

  /** Budgets on users that no scope names, all in periods of one calendar. */
  async budgets(tenant: string, budgets: number, period: object): Promise<void> {
    for (let from = 0; from < budgets; from += TOGETHER) {
      const some = Array.from({ length: Math.min(TOGETHER, budgets - from) }, (_, n) => from + n);
      await Promise.all(some.map((n) => this.#budget(tenant, n, period)));
    }
  }

  async #budget(tenant: string, n: number, period: object = MONTHLY): Promise<void> {
    const id = budgetId(tenant, n);
    const data = { budgetId: id, definition: { ...definition(`user:u${n}`), period } };
    await this.#append(tenant, budgetStream(tenant, id), [toAppend(tenant, id, 'BudgetCreated', data)]);
  }

  async #stream(tenant: string, stream: string, events: readonly EventToAppend[]): Promise<void> {
    for (let from = 0; from < events.length; from += UNIT) await this.#append(tenant, stream, events.slice(from, from + UNIT));
  }

  async #append(tenant: string, stream: string, events: readonly EventToAppend[]): Promise<void> {
    const partition = this.partitionOf(tenant);
    const result = await this.#appended(partition, stream, events);
    if (!result.ok) throw new Error(`the append to ${stream} was refused`);
    const last = Math.max(...result.outcomes.map(({ position }) => position));
    this.#last.set(partition, Math.max(last, this.#last.get(partition) ?? 0));
  }

  /** A busy machine may let a transaction go about when it is idle for too long; what is appended again is there once. */
  async #appended(partition: number, stream: string, events: readonly EventToAppend[]): ReturnType<EventStore['append']> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#store.append({ partition, stream, events, expectedRevision: 'any' });
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || attempt === ATTEMPTS) throw error;
        await delay(RETRY_MS);
      }
    }
  }
}

const MONTHLY = { kind: 'monthly', timezone: 'UTC', recurring: true };

const budgetId = (tenant: string, n: number): string => derivedId('bench-budget', tenant, String(n));

const definition = (scope: string): object => ({
  name: scope,
  scope,
  limit: { amount: '1000000', currency: 'USD' },
  thresholds: [{ percent: '80', severity: 'warning', actions: ['notify'] }],
  levels: { yellow: 75, orange: 90, red: 100 },
  enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
});

/** What every third event is of. */
export const PRICED_MODEL = 'gpt-4o';

const usageEvent = (tenant: string, n: number, occurredAt: string, priced: boolean): EventToAppend =>
  toAppend(tenant, `usage-${n}`, 'UsageRecorded', {
    id: `usage-${n}`,
    source: 'bench',
    occurredAt,
    scopes: [`user:u${n % 20}`],
    meter: 'llm.tokens',
    ...((!priced || n % 3 !== 0) && { cost: { amount: `0.00${(n % 89) + 10}`, currency: 'USD' } }),
    quantities: { inputTokens: String(1000 + (n % 700)), outputTokens: String(100 + (n % 70)) },
    dimensions: { provider: 'openai', model: n % 3 === 0 ? PRICED_MODEL : 'gpt-4o-mini', agent: 'content', campaign: `c${n % 40}` },
    status: 'succeeded',
  });
