import {
  budgetStream,
  derivedId,
  formatInstant,
  type LedgerEvent,
  reratedEventId,
  scopeStream,
  tenantStream,
  toWireMoney,
  type UsageData,
  usageEventId,
  usageStream,
  voidEventId,
} from '@bursar/contracts';
import { evolveDefinitions, rate, TenantDefinitions } from '@bursar/contracts/folds';
import type { MemoryLedger } from './memory-ledger.js';
import { ALLOCATED, type BudgetShape, definitionOf, type Step } from './stories.js';

export const TENANT = 'acme';
const HOUR_MS = 3_600_000;

/** Writes what a step means into the ledger, as ingestion and api would. */
export class World {
  #count = 0;
  /** As last defined. */
  readonly #shapes = new Map<number, BudgetShape>();
  readonly #sent: Parameters<MemoryLedger['put']>[0][] = [];
  readonly #lists: string[] = [];

  constructor(readonly ledger: MemoryLedger) {
    for (const team of [0, 1]) this.#scope('ScopeRegistered', { scope: `team:${team}`, parents: [] });
    for (const user of [0, 1, 2]) this.#scope('ScopeRegistered', { scope: `user:${user}`, parents: [`team:${user % 2}`] });
  }

  take(step: Step): void {
    this.ledger.nowMs += 1_000;
    this.#count += 1;
    const n = String(this.#count);
    switch (step.do) {
      case 'use':
        this.#use(step, n);
        return;
      case 'repeat': {
        const again = this.#sent[step.which];
        if (again !== undefined) this.ledger.put(again);
        return;
      }
      case 'void':
        this.#void(this.#sent.at(-1 - step.back));
        return;
      case 'adjust':
        this.#adjust(this.#sent.at(-1 - step.back), n, { amount: String(step.amount), currency: step.currency });
        return;
      case 'create':
      case 'change': {
        const budgetId = `budget-${step.budget}`;
        const type = step.do === 'create' ? 'BudgetCreated' : 'BudgetChanged';
        // A second creation says nothing.
        if (type === 'BudgetChanged' || !this.#shapes.has(step.budget)) this.#shapes.set(step.budget, step.shape);
        this.#put(budgetStream(TENANT, budgetId), n, type, { budgetId, definition: definitionOf(step.shape) });
        return;
      }
      case 'edit': {
        const shape = this.#shapes.get(step.budget);
        if (shape !== undefined) this.take({ do: 'change', budget: step.budget, shape: { ...shape, ...step.limits } });
        return;
      }
      case 'delete':
        this.#put(budgetStream(TENANT, `budget-${step.budget}`), n, 'BudgetDeleted', { budgetId: `budget-${step.budget}` });
        return;
      case 'move':
        this.#scope('ScopeMoved', { scope: `user:${step.user}`, parents: [`team:${step.team}`] }, n);
        return;
      case 'price':
        this.#lists.push(n);
        this.#put(tenantStream(TENANT), n, 'PriceListCreated', {
          listId: n,
          name: n,
          currency: 'USD',
          effectiveFrom: '1970-01-01T00:00:00Z',
          prices: [tokenPrice(step.model, step.amount)],
        });
        return;
      case 'correct': {
        const listId = this.#lists.at(-1 - step.back);
        const prices = [tokenPrice(step.model, step.amount)];
        if (listId !== undefined) this.#put(tenantStream(TENANT), n, 'PricesCorrected', { correctionId: n, listId, prices });
        return;
      }
      case 'rate': {
        const effectiveFrom = this.#ago(step.agoHours);
        const to = step.from === 'USD' ? 'EUR' : 'USD';
        this.#put(tenantStream(TENANT), n, 'ExchangeRateSet', { from: step.from, to, rate: String(step.rate), effectiveFrom });
        return;
      }
      case 'wait':
        this.ledger.nowMs += step.hours * HOUR_MS;
        return;
    }
  }

  #use(step: Extract<Step, { do: 'use' }>, n: string): void {
    const { user, team, amount, currency, model, tokens, agoHours, failed, percents, lag } = step;
    const allocation = percents?.map((percent, index) => ({ scope: ALLOCATED[index] ?? 'team:0', percent: String(percent) }));
    const data: UsageData = {
      id: n,
      source: 'test',
      occurredAt: this.#ago(agoHours),
      scopes: team ? [`user:${user}`, 'team:0'] : [`user:${user}`],
      meter: 'llm.tokens',
      status: failed ? 'failed' : 'succeeded',
      dimensions: { model },
      quantities: { inputTokens: String(tokens) },
      ...(amount !== null && { cost: { amount: String(amount), currency } }),
      ...(allocation !== undefined && { allocation }),
    };
    const event = {
      stream: usageStream(TENANT),
      id: usageEventId(TENANT, 'test', n),
      type: 'UsageRecorded',
      tenant: TENANT,
      data: amount !== null || lag === null ? data : this.#rated(data, lag),
    };
    this.#sent.push(event);
    this.ledger.put(event);
  }

  /** As ingestion would, which may have read the prices a while ago. */
  #rated(data: UsageData, lag: number): UsageData {
    const definitions = new TenantDefinitions(TENANT);
    for (const event of this.ledger.events.slice(0, Math.max(0, this.ledger.events.length - lag))) evolveDefinitions(definitions, event);
    const rating = rate(data, definitions, Number.POSITIVE_INFINITY);
    if (!('cost' in rating)) return { ...data, unpriced: [...rating.unpriced] };
    return { ...data, rated: toWireMoney(rating.cost), ratedAt: definitions.pricedBy };
  }

  #adjust(sent: Parameters<MemoryLedger['put']>[0] | undefined, n: string, cost: { amount: string; currency: string }): void {
    const recorded = this.ledger.events.find(({ id }) => id === sent?.id);
    if (recorded !== undefined) this.ledger.put(adjustmentOf(recorded, n, cost));
  }

  /** As ingestion would: once, with the original as the ledger has it. */
  #void(sent: Parameters<MemoryLedger['put']>[0] | undefined): void {
    const recorded = this.ledger.events.find(({ id }) => id === sent?.id);
    if (recorded !== undefined) this.ledger.put(voidOf(recorded));
  }

  #scope(type: string, data: { scope: string; parents: readonly string[] }, n = data.scope): void {
    this.#put(scopeStream(TENANT), n, type, data);
  }

  #put(stream: string, n: string, type: string, data: unknown): void {
    this.ledger.put({ stream, id: derivedId(type, n), type, data, tenant: TENANT, actor: 'test' });
  }

  #ago(hours: number): string {
    return formatInstant(BigInt(this.ledger.nowMs - hours * HOUR_MS) * 1_000_000n);
  }
}

export const voidOf = ({ id, stream, position, revision, recordedAt, data }: LedgerEvent): Parameters<MemoryLedger['put']>[0] => ({
  stream,
  id: voidEventId(TENANT, id),
  type: 'UsageVoided',
  tenant: TENANT,
  data: { eventId: id, reason: 'twice', original: { position, revision, recordedAt, data } },
});

export const adjustmentOf = (
  { id, stream, position, revision, recordedAt, data }: LedgerEvent,
  correctionId: string,
  cost: { amount: string; currency: string },
): Parameters<MemoryLedger['put']>[0] => ({
  stream,
  id: reratedEventId(TENANT, id, correctionId),
  type: 'UsageRerated',
  tenant: TENANT,
  data: { eventId: id, correctionId, cause: 'adjustment', previousCost: null, cost, original: { position, revision, recordedAt, data } },
});

const tokenPrice = (model: string, amount: number) => ({
  meter: 'llm.tokens',
  match: { model },
  unit: 'inputTokens',
  amount: String(amount),
  per: 1,
});
