import { balanceStream, budgetStream, derivedId, type LedgerEvent, scopeStream, tenantStream, usageStream } from '@bursar/contracts';
import { Driver } from './driver.js';
import { MemoryLedger } from './memory-ledger.js';
import { MemoryTables } from './memory-tables.js';
import { type BudgetShape, definitionOf } from './stories.js';
import { adjustmentOf, TENANT, voidOf } from './world.js';

type Definition = ReturnType<typeof definitionOf>;
const PLAIN: BudgetShape = { scope: 'team:ml', model: null, limit: 100, currency: 'USD', kind: 'monthly', percents: [], amount: null };

/** One tenant told step by step: each sentence appends an event and, unless told to wait, lets the projector come up to it. */
export class Scenario {
  readonly ledger = new MemoryLedger();
  readonly tables = new MemoryTables();
  readonly driver: Driver;
  #count = 0;

  /** `limits`: what the projector may keep in memory when it is told to let go. */
  constructor(limits?: ConstructorParameters<typeof Driver>[2]) {
    this.driver = new Driver(this.tables, this.ledger, limits);
    this.at('2026-03-10T00:00:00Z');
  }

  /** The store's clock from now on. */
  at(instant: string): this {
    this.ledger.nowMs = Date.parse(instant);
    return this;
  }

  budget(shape: Partial<BudgetShape> = {}, more: Partial<Definition> = {}, type = 'BudgetCreated'): this {
    const definition = { ...definitionOf({ ...PLAIN, ...shape }), ...more };
    return this.#put(budgetStream(TENANT, 'b'), type, { budgetId: 'b', definition });
  }

  change(shape: Partial<BudgetShape>, more: Partial<Definition> = {}): this {
    return this.budget(shape, more, 'BudgetChanged');
  }

  control(type: 'BudgetPaused' | 'BudgetResumed'): this {
    return this.#put(budgetStream(TENANT, 'b'), type, { budgetId: 'b', reason: null });
  }

  /** The open period ends here, by hand. */
  reset(): this {
    const data = { budgetId: 'b', reason: null, previousLimit: '100', previousSpend: '0', newLimit: null, currency: 'USD' };
    return this.#put(budgetStream(TENANT, 'b'), 'BudgetReset', data);
  }

  /** What the reset-scheduler says when a grant has ended. */
  expired(overrideId: string, expiresAt: string): this {
    return this.#put(balanceStream(TENANT, 'b'), 'OverrideExpired', { budgetId: 'b', overrideId, expiresAt });
  }

  /** More room until an instant, under an id of its own. */
  grant(overrideId: string, amount: string, expiresAt: string): this {
    const money = { amount, currency: 'USD' };
    return this.#put(budgetStream(TENANT, 'b'), 'OverrideGranted', {
      budgetId: 'b',
      overrideId,
      amount: money,
      enforcement: null,
      expiresAt,
      reason: 'r',
    });
  }

  revoke(overrideId: string): this {
    return this.#put(budgetStream(TENANT, 'b'), 'OverrideRevoked', { budgetId: 'b', overrideId });
  }

  use(amount: string | null, more: Readonly<Record<string, unknown>> = {}): this {
    const cost = amount === null ? {} : { cost: { amount, currency: 'USD' } };
    this.#count += 1;
    const id = String(this.#count);
    const occurredAt = new Date(this.ledger.nowMs).toISOString();
    return this.#put(usageStream(TENANT), 'UsageRecorded', {
      id,
      source: 't',
      occurredAt,
      scopes: ['team:ml'],
      status: 'succeeded',
      ...cost,
      ...more,
    });
  }

  /** Takes back the usage recorded so many before the last one. */
  void(back = 0): this {
    const recorded = this.ledger.events.filter(({ type }) => type === 'UsageRecorded').at(-1 - back);
    if (recorded !== undefined) this.ledger.put(voidOf(recorded));
    return this;
  }

  /** States another cost for the usage recorded so many before the last one. */
  adjust(amount: string, back = 0, currency = 'USD'): this {
    const recorded = this.ledger.events.filter(({ type }) => type === 'UsageRecorded').at(-1 - back);
    this.#count += 1;
    if (recorded !== undefined) this.ledger.put(adjustmentOf(recorded, String(this.#count), { amount, currency }));
    return this;
  }

  /** What a list should have said. */
  correct(listId: string, units: Readonly<Record<string, string>>, more?: true): this {
    const prices = Object.entries(units).map(([unit, amount]) => ({ meter: 'llm.tokens', match: {}, unit, amount, per: 1 }));
    this.#count += 1;
    const data = { correctionId: String(this.#count), listId, prices, ...(more && { more }) };
    return this.#put(tenantStream(TENANT), 'PricesCorrected', data);
  }

  scope(scope: string, parents: readonly string[], type = 'ScopeRegistered'): this {
    return this.#put(scopeStream(TENANT), type, { scope, parents });
  }

  prices(listId: string, units: Readonly<Record<string, string>>, more?: true, type = 'PriceListCreated'): this {
    const prices = Object.entries(units).map(([unit, amount]) => ({ meter: 'llm.tokens', match: {}, unit, amount, per: 1 }));
    const list = type === 'PriceListCreated' ? { name: listId, currency: 'USD', effectiveFrom: '1970-01-01T00:00:00Z' } : {};
    return this.#put(tenantStream(TENANT), type, { listId, ...list, prices, ...(more && { more }) });
  }

  rate(from: string, to: string, rate: string): this {
    return this.#put(tenantStream(TENANT), 'ExchangeRateSet', { from, to, rate, effectiveFrom: '1970-01-01T00:00:00Z' });
  }

  /** Folds, commits and sends what there is; counts nothing. */
  async folded(): Promise<this> {
    for (let head = -1; head !== this.ledger.events.length; ) {
      head = this.ledger.events.length;
      await this.driver.fold(1_000);
      await this.driver.commit();
      await this.driver.send();
    }
    return this;
  }

  async settled(): Promise<this> {
    await this.driver.settle();
    return this;
  }

  /** `crossed 80% 1`, in the order said. */
  said(): readonly string[] {
    return this.ledger.events.flatMap((event) =>
      isCrossing(event) ? [`${WORD[event.type]} ${event.data.threshold} ${event.data.episode}`] : [],
    );
  }

  /** `spend events failedSpend waiting` by start of period. */
  balances(): Readonly<Record<string, string>> {
    const rows = [...this.tables.balances.values()];
    return Object.fromEntries(
      rows.map((row) => [row.periodStart.slice(0, 10), [row.spend, row.events, row.failedSpend, row.waiting].join(' ')]),
    );
  }

  #put(stream: string, type: string, data: unknown): this {
    this.#count += 1;
    this.ledger.put({ stream, id: derivedId('scenario', String(this.#count)), type, data, tenant: TENANT });
    return this;
  }
}

const WORD = { ThresholdCrossed: 'crossed', ThresholdCleared: 'cleared' } as const;
const isCrossing = (event: LedgerEvent): event is Extract<LedgerEvent, { type: 'ThresholdCrossed' | 'ThresholdCleared' }> =>
  event.type in WORD;
