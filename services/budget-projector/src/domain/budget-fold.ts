import { type EpochNs, formatInstant, type Period, periodResolver } from '@bursar/contracts';
import { type BudgetState, effectiveLimit, nextExpiry, type ThresholdState } from '@bursar/contracts/folds';
import { noSums, type Sums } from './sums.js';
import type { BudgetVersion } from './tenant-history.js';

/** What a period's thresholds are decided by. */
export type Judgement = Readonly<{
  state: BudgetState;
  /** With what overrides add to it; null is unlimited. */
  limit: bigint | null;
  /** An override ends here and the limit may be another; null: this holds until the budget is changed. */
  until: EpochNs | null;
}>;

/** One live budget in memory: what it is, whether its past has been counted, and the periods touched so far. */
export class BudgetFold {
  /** By start. Not every period of the tables, unless {@link whole}. */
  readonly periods = new Map<EpochNs, PeriodState>();
  /** The tables hold no period that is not in memory: a new budget needs no look-up. */
  whole = false;
  /** Position from which thresholds are decided; null while its past is being added up. */
  countedPosition: number | null = null;
  #versions: readonly BudgetVersion[];
  #state: BudgetState;
  #periodAt: (at: EpochNs) => Period | null;

  constructor(
    readonly tenant: string,
    state: BudgetState,
    versions: readonly BudgetVersion[],
  ) {
    this.#state = state;
    this.#versions = versions;
    this.#periodAt = periodResolver(state.definition.period);
  }

  get id(): string {
    return this.#state.budgetId;
  }

  /** As of the position folded so far. */
  get state(): BudgetState {
    return this.#state;
  }

  redefine(state: BudgetState, versions: readonly BudgetVersion[]): void {
    this.#state = state;
    this.#versions = versions;
    this.#periodAt = periodResolver(state.definition.period);
    for (const period of this.periods.values()) {
      period.nextCrossing = undefined;
      // Another zone may move the end of a period that has not begun (ADR 0003); what is in it stays.
      const now = this.#periodAt(period.period.start);
      if (now !== null && now.start === period.period.start) period.period = now;
    }
  }

  /** null outside a one-off period. */
  periodAt(at: EpochNs): Period | null {
    return this.#periodAt(at);
  }

  /**
   * By what a period is judged at `now`: the current definition and the overrides live now until it ends, afterwards those in force
   * just before its end, so that a limit edited later never crosses or clears what is closed.
   */
  judging(period: Period, now: EpochNs): Judgement {
    const isOpen = period.end > now;
    const at = isOpen ? now : period.end - 1n;
    const state = (isOpen ? undefined : this.#versions.findLast((version) => version.at < period.end)?.state) ?? this.#state;
    const { definition, controls } = state;
    return { state, limit: effectiveLimit(definition, controls, at), until: nextExpiry(controls, at) };
  }
}

/** One budget's period in memory: its balance and the state of its thresholds. Changed in place; the fold owns it. */
export class PeriodState {
  readonly sums: Sums = noSums();
  /** No entry: armed, first episode. */
  readonly thresholds = new Map<string, ThresholdState>();
  /** Position of the last event that changed it, and when that was recorded. 0: never, there is no row. */
  position = 0;
  updatedAt = '';
  /** Below this spend no armed threshold is reached; null: none is left to reach; undefined: to be computed. */
  nextCrossing: bigint | null | undefined = undefined;
  /** {@link nextCrossing} holds before this instant only; null: for good. */
  judgedUntil: EpochNs | null = null;
  /** Number of the fold step that used it last: what an eviction goes by. */
  usedAt = 0;
  readonly startText: string;
  #end: EpochNs | null = null;
  #endText = '';

  constructor(
    readonly budget: BudgetFold,
    public period: Period,
  ) {
    this.startText = formatInstant(period.start);
  }

  get endText(): string {
    if (this.#end !== this.period.end) [this.#end, this.#endText] = [this.period.end, formatInstant(this.period.end)];
    return this.#endText;
  }
}
