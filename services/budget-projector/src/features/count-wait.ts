import { isUnreadable, type LedgerItem } from './ledger.js';
import { Watermark } from './watermark.js';

/** Each decides again whenever something was counted: more would hold up those whose budgets are counted. */
const MOST_WAITING = 500;
/** Budgets that are made together are counted one after another; what is counted within this is told once. */
const TOGETHER_MS = 25;

/** Those whose budget is being counted wait here for the fold of a count (ADR 0010), and decide then. */
export class CountWait {
  readonly #told: Watermark;
  #counted: number;
  #telling: NodeJS.Timeout | null = null;
  #waiting = 0;

  /**
   * @param position as far as is folded
   * @param leaving aborts when the owner is to give the partition up, or its life is over: nobody is kept waiting
   */
  constructor(
    position: number,
    private readonly leaving: AbortSignal,
  ) {
    this.#told = new Watermark(position);
    this.#counted = position;
  }

  /** Of each item, once it is in memory. */
  folded(item: LedgerItem): void {
    if (isUnreadable(item) || item.type !== 'BudgetCounted') return;
    this.#counted = item.position;
    this.#telling ??= setTimeout(() => this.#tell(), TOGETHER_MS).unref();
  }

  /**
   * Decides until that comes to something else than `counting`; `counting` when the time is over, the owner leaves or `stop` aborts, and at once
   * where too many wait already. Rejects as the decision does.
   */
  async decided<T>(decide: () => Promise<T | 'counting'>, waitMs: number, stop: AbortSignal): Promise<T | 'counting'> {
    if (waitMs <= 0 || this.#waiting >= MOST_WAITING) return 'counting';
    this.#waiting += 1;
    const enough = AbortSignal.any([this.leaving, stop, AbortSignal.timeout(Math.ceil(waitMs))]);
    try {
      for (;;) {
        // Looked at before the decision: what is counted while that is made ends the wait.
        const { position } = this.#told;
        const decision = await decide();
        // At the end too: a count is not all that may make the budget one that blocks nothing.
        if (decision !== 'counting' || enough.aborted) return decision;
        await this.#told.reached(position + 1, enough);
      }
    } finally {
      this.#waiting -= 1;
    }
  }

  #tell(): void {
    this.#telling = null;
    this.#told.advance(this.#counted);
  }
}
