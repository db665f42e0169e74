import { decodeStored } from '@bursar/bus';
import { budgetStream, type LedgerEvent, partitionOf } from '@bursar/contracts';
import { type BudgetState, evolveDefinitions, findBudget, TenantDefinitions } from '@bursar/contracts/folds';
import { type EventStore, streamPages } from '@bursar/event-store';
import { Budgets } from '../../features/ports.js';

/** Budgets kept folded, some 5 kB each; the least recently used goes first. More than one batch asks for. */
const MAX_KEPT = 4_000;

type Kept = Readonly<{ partition: number; definitions: TenantDefinitions }>;

/** Each budget from its own stream on first use, then from what the loop folds: exact at any position, without a table. */
export class StoreBudgets extends Budgets {
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly store: EventStore) {
    super();
  }

  async at(tenant: string, budgetId: string, position: number): Promise<BudgetState | null> {
    const stream = budgetStream(tenant, budgetId);
    const known = this.#kept.get(stream) ?? (await this.#load(tenant, stream));
    this.#kept.delete(stream);
    this.#kept.set(stream, known);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return findBudget(known.definitions, budgetId, position);
  }

  fold(event: LedgerEvent): void {
    const known = this.#kept.get(event.stream);
    if (known !== undefined) evolveDefinitions(known.definitions, event);
  }

  forget(partition: number): void {
    for (const [stream, known] of this.#kept) if (known.partition === partition) this.#kept.delete(stream);
  }

  /** May read ahead of the loop: folds take an event twice, and are asked by position. */
  async #load(tenant: string, stream: string): Promise<Kept> {
    const definitions = new TenantDefinitions(tenant);
    for await (const page of streamPages(this.store, stream)) {
      for (const event of page) evolveDefinitions(definitions, decodeStored(event));
    }
    return { partition: partitionOf(tenant, this.store.partitions), definitions };
  }
}
