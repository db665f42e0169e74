import type { UsageRecordedEvent } from '@bursar/contracts';
import { findBudget, originalOf } from '@bursar/contracts/folds';
import { BudgetCounter, type CountTarget, isUsageEvent, type UsageEvent } from '../domain/count-budgets.js';
import type { TenantHistory } from '../domain/tenant-history.js';
import { HoldsNamed } from './holds-named.js';
import { KickedLoop } from './kicked-loop.js';
import { isUnreadable, type Ledger } from './ledger.js';
import type { ProjectionTables } from './projection-tables.js';
import type { TenantHistories } from './tenant-histories.js';
import { usagePages } from './usage-pages.js';

/**
 * Adds up the past of budgets that were defined after their usage, beside the loop, and says it in the ledger. What is told twice, after
 * a restart, is a duplicate. All budgets of a tenant that wait are counted in one reading of its usage.
 */
export class PastCounter {
  /** Told already; the loop has not folded it yet. */
  readonly #told = new Set<string>();
  readonly #loop = new KickedLoop((signal) => this.countAll(signal));

  constructor(
    private readonly tables: ProjectionTables,
    private readonly ledger: Ledger,
    private readonly histories: TenantHistories,
    private readonly partition: number,
    private readonly isOurs: (tenant: string) => boolean,
  ) {}

  /** There may be something to count. */
  kick(): void {
    this.#loop.kick();
  }

  /** Until the signal aborts. Rejects when the store or the tables fail. */
  run(signal: AbortSignal): Promise<void> {
    return this.#loop.run(signal);
  }

  /** All that wait to be counted. */
  async countAll(signal: AbortSignal): Promise<void> {
    const waiting = (await this.tables.counting()).filter(({ tenant }) => this.isOurs(tenant));
    for (const [tenant, budgets] of Map.groupBy(waiting, ({ tenant }) => tenant)) {
      if (signal.aborted) return;
      await this.#count(
        tenant,
        budgets.map(({ budgetId }) => budgetId),
        signal,
      );
    }
  }

  async #count(tenant: string, budgetIds: readonly string[], signal: AbortSignal): Promise<void> {
    const history = await this.histories.get(tenant);
    const targets = budgetIds.flatMap((budgetId): readonly CountTarget[] => {
      const state = findBudget(history.definitions, budgetId);
      const isOpen = state !== null && state.deletedPosition === null && !this.#told.has(toldKey(budgetId, state.definedPosition));
      return isOpen ? [{ state, through: state.definedPosition }] : [];
    });
    if (targets.length === 0) return;
    const counter = new BudgetCounter(history, targets);
    await this.#readUsage(history, counter, signal);
    if (signal.aborted) return;
    for (const events of counter.results()) {
      const [first] = events;
      if (first !== undefined) await this.ledger.append(this.partition, first.stream, events);
    }
    for (const { state, through } of targets) this.#told.add(toldKey(state.budgetId, through));
  }

  async #readUsage(history: TenantHistory, counter: BudgetCounter, signal: AbortSignal): Promise<void> {
    const { tenant } = history;
    for await (const page of usagePages(this.ledger, tenant)) {
      // What cannot be read is set aside by the loop, and flags every budget of the tenant.
      const events = page.flatMap((item) => (isUnreadable(item) || !isUsageEvent(item) ? [] : [item]));
      const named = await HoldsNamed.of(this.tables, tenant, events.map(usageOf));
      for (const event of events) {
        named.tell(history, usageOf(event));
        if (!counter.add(event)) return;
      }
      if (signal.aborted) return;
    }
  }
}

const usageOf = (event: UsageEvent): UsageRecordedEvent => (event.type === 'UsageRecorded' ? event : originalOf(event));

const toldKey = (budgetId: string, through: number): string => `${budgetId} ${through}`;
