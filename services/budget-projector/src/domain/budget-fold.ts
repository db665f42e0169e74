import { type EpochNs, formatInstant, type Period, periodResolver } from '@bursar/contracts';
import {
  type BudgetState,
  effectiveLimit,
  nextExpiry,
  rolledOver,
  rolloverChain,
  rollsOver,
  type ThresholdState,
} from '@bursar/contracts/folds';
import { Reserved } from './holds/reserved.js';
import { noSums, type Sums } from './sums.js';
import type { BudgetVersion } from './tenant-history.js';

/** What a period's thresholds are decided by. */
export type Judgement = Readonly<{
  state: BudgetState;
  /** With what overrides and earlier periods add to it; null is unlimited. */
  limit: bigint | null;
  /** An override ends here and the limit may be another; null: this holds until the budget is changed. */
  until: EpochNs | null;
}>;

const NO_CHAIN: readonly Period[] = [];
/** Late usage may ask for many periods; each is soon made again. */
const MAX_CHAINS = 64;

/** One live budget in memory: what it is, whether its past has been counted, and the periods touched so far. */
export class BudgetFold {
  /** By start. Not every period of the tables, unless {@link whole}. */
  readonly periods = new Map<EpochNs, PeriodState>();
  /** The tables hold no period that is not in memory: a new budget needs no look-up. */
  whole = false;
  /** Position from which thresholds are decided; null while its past is being added up. */
  countedPosition: number | null = null;
  /** What open holds keep of its periods. */
  readonly reserved = new Reserved();
  /** Of grants that are decided and not folded yet. */
  readonly undecided = new Reserved();
  #versions: readonly BudgetVersion[];
  #state: BudgetState;
  /** Made when it is first asked: a tenant may have a hundred thousand budgets, most of which nobody asks about. */
  #resolver: ((at: EpochNs, position?: number) => Period | null) | null = null;
  /** By the start of the period that they carry into. */
  readonly #chains = new Map<EpochNs, readonly Period[]>();

  constructor(
    readonly tenant: string,
    state: BudgetState,
    versions: readonly BudgetVersion[],
  ) {
    this.#state = state;
    this.#versions = versions;
  }

  get id(): string {
    return this.#state.budgetId;
  }

  /** As of the position folded so far. */
  get state(): BudgetState {
    return this.#state;
  }

  /** What is left of one of its periods may go on into the next. */
  get rollsOver(): boolean {
    return rollsOver(this.#state.terms);
  }

  /** The periods that decide what is carried into this one: they have to be in memory wherever it is judged. */
  chainBefore(period: Period): readonly Period[] {
    if (!this.rollsOver) return NO_CHAIN;
    const known = this.#chains.get(period.start);
    if (known !== undefined) return known;
    const chain = rolloverChain(this.#state, period);
    if (this.#chains.size >= MAX_CHAINS) this.#chains.clear();
    this.#chains.set(period.start, chain);
    return chain;
  }

  redefine(state: BudgetState, versions: readonly BudgetVersion[]): void {
    this.#state = state;
    this.#versions = versions;
    this.#resolver = null;
    this.#chains.clear();
    for (const period of this.periods.values()) {
      period.nextCrossing = undefined;
      // Another zone may move the end of a period that has not begun (ADR 0003), a reset by hand ends one; what is in it stays.
      const now = this.periodAt(period.period.start);
      if (now !== null && now.start === period.period.start) period.period = now;
    }
  }

  /** null outside a one-off period. `position`, of usage: no reset by hand after it counts. */
  periodAt(at: EpochNs, position?: number): Period | null {
    if (this.#resolver === null) this.#resolver = periodResolver(this.#state.definition.period);
    return this.#resolver(at, position);
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
    const carried = this.#carriedInto(period, ({ sums }) => sums.spend);
    return { state, limit: effectiveLimit(definition, controls, at, carried), until: nextExpiry(controls, at) };
  }

  /**
   * The limit by which something is let pass in the period that is open at `now`; null is unlimited. What is held of the periods before may be spent in them
   * yet, so it is not left over: with it, what was granted of two periods would be past the block point of one.
   */
  limitAt(period: Period, now: EpochNs): bigint | null {
    const { definition, controls } = this.#state;
    const carried = this.#carriedInto(period, (before) => before.sums.spend + this.heldIn(before.period.start));
    return effectiveLimit(definition, controls, now, carried);
  }

  /** Held in the period that starts there, in picos; also what is decided and not folded yet. */
  heldIn(start: EpochNs): bigint {
    return this.reserved.at(start) + this.undecided.at(start);
  }

  #carriedInto(period: Period, usedOf: (before: PeriodState) => bigint): bigint {
    const chain = this.chainBefore(period);
    if (chain.length === 0) return 0n;
    return rolledOver(this.#state.terms, this.#state.currency, chain, ({ start }) => {
      const before = this.periods.get(start);
      if (before === undefined) throw new Error(`period of budget ${this.id} was not read before the one it carries into was judged`);
      return usedOf(before);
    });
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
