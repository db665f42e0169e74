import { contentHash, derivedId, formatInstant, NS_PER_MS, NS_PER_SECOND, PICOS_PER_UNIT, parseInstant } from '@bursar/contracts';
import type { Ask } from '../../src/domain/holds/ask.js';
import type { Decisions } from '../../src/features/decisions.js';
import type { ReserveOutcome } from '../../src/features/hold-outcomes.js';
import { ProcessShare } from '../../src/features/process-share.js';
import { PartitionSession } from '../../src/features/project-partition.js';
import type { Asked } from './hold-oracle.js';
import { type HoldStep, type HoldWorld, type OneAsk, type OneUse, type Shape, UNIT } from './hold-stories.js';
import { KEY, lastingLease } from './leases.js';
import { MemoryLedger } from './memory-ledger.js';
import { MemoryTables } from './memory-tables.js';
import { definitionOf } from './stories.js';
import { TENANT } from './world.js';

/** One tenant with an owner that is replaced now and then; every session's memory is its own. Begins shortly before a day and a month end. */
export class HoldRun {
  readonly ledger = new MemoryLedger();
  readonly tables = new MemoryTables();
  readonly refused: Readonly<{ asked: Asked; head: number }>[] = [];
  /** What was answered to a release, when the ledger had come to `head`. */
  readonly released: Readonly<{ reservationId: string; is: string; head: number }>[] = [];
  /** Ids that were answered as held, or as used up by another body. */
  readonly answered: Readonly<{ reservationId: string; bodyHash: string; is: 'held' | 'conflict'; says: string | null }>[] = [];
  /** By the hash of what was asked for. */
  readonly ttlNs = new Map<string, bigint>();
  #count = 0;
  #isPriced = false;
  readonly #shapes: Shape[];
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #session: PartitionSession | null = null;

  constructor({ tree, budgets }: HoldWorld) {
    this.ledger.nowMs = Date.parse('2026-02-28T23:57:00Z');
    for (const [scope, parents] of Object.entries(tree)) this.#put('scope-acme', 'ScopeRegistered', { scope, parents });
    this.#rate('EUR', 'USD', 2);
    this.#rate('USD', 'EUR', 3);
    this.#shapes = [...budgets];
    for (const index of budgets.keys()) this.#define('BudgetCreated', index);
  }

  async open(tables = this.tables): Promise<void> {
    this.#stop = new AbortController();
    this.#session = new PartitionSession(
      tables,
      this.ledger,
      {
        lease: lastingLease(KEY),
        signal: this.#stop.signal,
        maxEvents: 5,
        pauseMs: 0,
        share: new ProcessShare({ tenants: 10, definitions: 100, periods: 100 }),
        mostPending: 50,
        now: () => this.now(),
      },
      {
        committed: () => undefined,
        counting: () => undefined,
        corrected: () => undefined,
        checked: () => undefined,
        expiries: { expired: () => undefined, failed: () => undefined },
      },
    );
    const head = await this.#session.take();
    this.#running = this.#session.run();
    await this.#session.committed.reached(head, this.#stop.signal);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async settled(): Promise<void> {
    await this.#session?.committed.reached(this.ledger.events.length, this.#stop.signal);
  }

  now(): bigint {
    return BigInt(this.ledger.nowMs) * NS_PER_MS;
  }

  async take(one: HoldStep): Promise<void> {
    this.ledger.nowMs += 10;
    this.#count += 1;
    if ('meanwhile' in one) this.#meanwhile(one.meanwhile);
    switch (one.do) {
      case 'ask':
        await Promise.all(one.asks.map((asked, index) => this.#ask(asked, index)));
        return;
      case 'use':
        this.#use(one);
        return;
      case 'release':
        return this.#release(`r-${one.id}`);
      case 'wait':
        this.ledger.nowMs += one.seconds * 1_000;
        return this.expire();
      case 'hurry':
        await this.decisions.caughtUp();
        await this.decisions.desk.expire(TENANT, `r-${one.id}`);
        return this.settled();
      case 'edit': {
        const index = one.budget % this.#shapes.length;
        const shape = this.#shapes[index];
        if (shape !== undefined) this.#shapes[index] = { ...shape, ...one.to };
        this.#define('BudgetChanged', index);
        return;
      }
      case 'override':
        this.#override(one);
        return;
      case 'move':
        this.#put('scope-acme', 'ScopeMoved', { scope: one.scope, parents: one.to });
        return;
      case 'rate':
        this.#rate(one.from, one.from === 'USD' ? 'EUR' : 'USD', one.rate);
        return;
      case 'price':
        this.#price();
        return;
      case 'hand over':
        await this.close();
        return this.open();
    }
  }

  /** What the owner's timer does. */
  async expire(): Promise<void> {
    await this.settled();
    const due = [...this.tables.reservations.holdRows.values()].filter(
      ({ status, granted }) => status === 'held' && granted !== null && parseInstant(granted.terms.expiresAt) <= this.now(),
    );
    await Promise.all(due.map(({ reservationId }) => this.decisions.desk.expire(TENANT, reservationId)));
    await this.settled();
  }

  get decisions(): Decisions {
    const decisions = this.#session?.decisions ?? null;
    if (decisions === null) throw new Error('the session is over');
    return decisions;
  }

  async #ask(one: OneAsk, index: number): Promise<ReserveOutcome> {
    const { scopes, category, model, amount: units, currency, id, ttl } = one;
    const amount = BigInt(units) * PICOS_PER_UNIT;
    const ask: Ask = {
      reservationId: id === null ? `made-${this.#count}-${index}` : `r-${id}`,
      isCallers: id !== null,
      bodyHash: contentHash({ ...one, id: null }).toString('hex'),
      scopes,
      what: { amount, currency },
      ...(category !== null && { category }),
      ...(model !== null && { dimensions: { model } }),
      ttlNs: BigInt(ttl) * NS_PER_SECOND,
    };
    const { reservationId, bodyHash } = ask;
    this.ttlNs.set(bodyHash, ask.ttlNs);
    const { outcome } = await this.decisions.desk.reserve(TENANT, ask);
    if (outcome.is === 'held') {
      const { held } = outcome;
      this.answered.push({ reservationId, bodyHash, is: 'held', says: `${held.reservationId} ${JSON.parse(held.parts.bodyHash)}` });
    }
    if (outcome.is === 'conflict') this.answered.push({ reservationId, bodyHash, is: 'conflict', says: null });
    if (outcome.is === 'refused') {
      const { position, scene } = outcome;
      const asked = { scopes, category, model, amount, currency, position, now: scene.now };
      this.refused.push({ asked, head: this.ledger.events.length });
    }
    return outcome;
  }

  async #release(reservationId: string): Promise<void> {
    await this.decisions.caughtUp();
    const head = this.ledger.events.length;
    const { outcome } = await this.decisions.desk.release(TENANT, reservationId);
    this.released.push({ reservationId, is: outcome.is, head });
  }

  /** Before the next group of decisions is in the ledger. */
  #meanwhile(use: OneUse | null): void {
    this.ledger.beforeHolds = () => {
      this.ledger.beforeHolds = () => undefined;
      if (use !== null) this.#use(use);
    };
  }

  #use({ scopes, category, model, id, amount, currency, isPriced }: OneUse): void {
    this.#put('usage-acme', 'UsageRecorded', {
      id: `u-${this.#count}`,
      source: 't',
      occurredAt: formatInstant(this.now()),
      scopes,
      status: 'succeeded',
      ...(isPriced || this.#isPriced
        ? { cost: { amount: String(amount), currency } }
        : { meter: UNIT, quantities: { [UNIT]: String(amount) } }),
      ...(category !== null && { category }),
      ...(model !== null && { dimensions: { model } }),
      ...(id !== null && { reservationId: `r-${id}` }),
    });
  }

  #override({ budget, amount, seconds }: Extract<HoldStep, { do: 'override' }>): void {
    const index = budget % this.#shapes.length;
    const expiresAt = formatInstant(this.now() + BigInt(seconds) * NS_PER_SECOND);
    this.#put(`budget-acme.${budgetIdOf(index)}`, 'OverrideGranted', {
      budgetId: budgetIdOf(index),
      overrideId: `o-${this.#count}`,
      amount: amount === null ? null : { amount: String(amount), currency: this.#shapes[index]?.currency },
      enforcement: amount === null ? 'off' : null,
      expiresAt,
      reason: 'r',
    });
  }

  #price(): void {
    if (this.#isPriced) return;
    this.#isPriced = true;
    const prices = [{ meter: UNIT, match: {}, unit: UNIT, amount: '1', per: 1 }];
    const list = { listId: UNIT, name: UNIT, currency: 'USD', effectiveFrom: '1970-01-01T00:00:00Z', prices };
    this.#put('tenant-acme', 'PriceListCreated', list);
  }

  #rate(from: string, to: string, rate: number): void {
    this.#put('tenant-acme', 'ExchangeRateSet', { from, to, rate: String(rate), effectiveFrom: '1970-01-01T00:00:00Z' });
  }

  #define(type: string, index: number): void {
    const shape = this.#shapes[index];
    if (shape === undefined) return;
    const { scope, mode, blockAtPercent, limit, currency, kind, category, model, rollover } = shape;
    const definition = {
      ...definitionOf({ scope, model: null, limit: null, currency: 'USD', kind, percents: [], amount: null }),
      limit: { amount: limit === null ? null : String(limit), currency },
      enforcement: { mode, blockAtPercent, autoPause: false },
      rollover: { mode: rollover },
      filter: { ...(category !== null && { category }), ...(model !== null && { dimensions: { model } }) },
    };
    this.#put(`budget-acme.${budgetIdOf(index)}`, type, { budgetId: budgetIdOf(index), definition });
  }

  #put(stream: string, type: string, data: unknown): void {
    this.#count += 1;
    this.ledger.put({ stream, id: derivedId('holds', String(this.#count)), type, data, tenant: TENANT });
  }
}

export const budgetIdOf = (index: number): string => `budget-${index}`;
