import {
  type EpochNs,
  type EventOf,
  formatInstant,
  type Period,
  parseInstant,
  periodResolver,
  type UsageRecordedEvent,
} from '@bursar/contracts';
import {
  type Arrivals,
  type BudgetState,
  type BudgetStatus,
  budgetCounts,
  budgetStatus,
  type Crossing,
  currentPeriod,
  findBudget,
  isVoided,
  type MetCorrection,
  rolledOver,
  rolloverChain,
  settledCharge,
  settledCost,
  standing,
  type TenantDefinitions,
  thresholdKey,
} from '@bursar/contracts/folds';

/** A past moment: the ledger up to a position of a partition, read at a clock. */
export type Then = Readonly<{ partition: number; position: number; now: EpochNs }>;

/** A crossing as decided: what the ledger tells of it may come after the position that caused it. */
export type Decided = Readonly<{
  id: string;
  type: 'ThresholdCrossed' | 'ThresholdCleared';
  data: EventOf<'ThresholdCrossed'>['data'];
  /** null: the ledger has not been told yet. */
  position: number | null;
}>;

/** An amount that was held on a budget, in its currency: since when, in the ledger and by the clock. */
export type HeldThen = Readonly<{ position: number; at: EpochNs; picos: bigint }>;

export type BudgetFacts = Readonly<{
  definitions: TenantDefinitions;
  arrivals: Arrivals;
  /** The budget at the position. */
  state: BudgetState;
  /** Positions of the events of its own stream, and when its last one by then was recorded. */
  changes: readonly number[];
  updatedAt: string;
  /** Of the tenant's first usage; null: there is none. */
  firstUsage: number | null;
  counted: readonly EventOf<'BudgetCounted'>[];
  /** All there are, in the order they were decided. */
  decided: readonly Decided[];
  /** Of any period. */
  held: readonly HeldThen[];
  /** It lacks an event that was set aside by then. */
  incomplete: boolean;
  moment: Then;
}>;

/**
 * One budget as the projector had it once it had folded a position, from the events alone: usage is added newest first, and the sum of
 * what each event did by then is the balance of the period that was current.
 */
export class BudgetAsOf {
  readonly period: Period | null;
  /** The periods that decide what was carried into it, oldest first. */
  readonly #chain: readonly Period[];
  readonly #periodAt: (at: EpochNs, position?: number) => Period | null;
  readonly #spendBefore = new Map<EpochNs, bigint>();
  /** Its past had been added up by then. */
  readonly isCounted: boolean;
  #spend = 0n;
  #waiting = 0;
  #touchedAt = 0;
  #touched: string | null = null;

  constructor(private readonly facts: BudgetFacts) {
    const { state, moment, firstUsage } = facts;
    this.#periodAt = periodResolver(state.definition.period);
    this.period = currentPeriod(state.definition, moment.now);
    this.#chain = this.period === null ? [] : rolloverChain(state, this.period);
    const count = this.#countOf(state.definedPosition);
    this.isCounted = firstUsage === null || firstUsage > state.definedPosition || count !== null;
    for (const event of facts.counted) {
      const says = event.position <= moment.position && event.data.through === state.definedPosition;
      if (says && event.data.periods.some(({ start }) => this.#isPeriod(parseInstant(start))))
        this.#touch(event.position, event.recordedAt);
    }
  }

  /** Usage before this says nothing of the status; null: none does. */
  get since(): EpochNs | null {
    return this.#chain[0]?.start ?? this.period?.start ?? null;
  }

  get state(): BudgetState {
    return this.facts.state;
  }

  /** One usage event with what had been said of it by then, in any order. */
  add(usage: UsageRecordedEvent, met: readonly MetCorrection[]): void {
    const { definitions, arrivals, state, moment } = this.facts;
    const corrections = standing(met, moment.position);
    const settled = settledCharge(usage, definitions, arrivals, moment.position, corrections);
    const { charged } = settled;
    if (!budgetCounts(state, charged)) return;
    const start = this.#periodAt(charged.effectiveAt, usage.position)?.start;
    if (start === undefined) return;
    // Nothing was said of nearly all usage, of which there may be a lot: it is looked at once.
    const isPlain = corrections.length === 0 && (this.isCounted || usage.position > state.definedPosition);
    const cost = isPlain ? settledCost(settled, usage, state, definitions, arrivals, moment.position) : null;
    const { spend, waiting } = isPlain ? posted(cost) : this.#posted(usage, corrections);
    if (this.#isPeriod(start)) {
      this.#spend += spend;
      this.#waiting += waiting;
      if (isPlain) this.#touchPlain(usage, cost?.at ?? 0);
      else this.#touchAll(usage, corrections);
      return;
    }
    // Of an earlier period of the chain only the spend matters.
    if (this.#chain.some((period) => period.start === start)) this.#spendBefore.set(start, (this.#spendBefore.get(start) ?? 0n) + spend);
  }

  /** As {@link #touchAll}, of usage that nothing was said of. */
  #touchPlain({ position, recordedAt }: UsageRecordedEvent, settledAt: number): void {
    const since = this.facts.state.definedPosition;
    if (position > since) this.#touch(position, recordedAt);
    if (settledAt > since) this.#touch(settledAt, this.facts.arrivals.recordedAt(settledAt) ?? null);
  }

  /** `since`: when the cause of a crossing was recorded. `undecided`: held beside what was folded by then. */
  status(since: (causePosition: number) => EpochNs, undecided = 0n): BudgetStatus {
    const { state, moment, updatedAt } = this.facts;
    return budgetStatus({
      budgetId: state.budgetId,
      definition: state.definition,
      period: this.period,
      balance: { spend: this.#spend, waiting: this.#waiting },
      reserved: this.#heldIn(this.period?.start) + undecided,
      crossings: this.active().map((crossed): Crossing => {
        return { alertId: crossed.id, data: crossed.data, crossedAt: since(crossed.data.causePosition), clearedAt: null };
      }),
      counting: !this.isCounted,
      incomplete: this.facts.incomplete,
      controls: state.controls,
      carried: rolledOver(
        state.terms,
        state.currency,
        this.#chain,
        ({ start }) => (this.#spendBefore.get(start) ?? 0n) + this.#heldIn(start),
      ),
      now: moment.now,
      position: `${moment.partition}:${moment.position}`,
      lastUpdated: parseInstant(this.#touched ?? updatedAt),
    });
  }

  /** Crossings of the period that stood then, newest first. */
  active(): readonly Decided[] {
    const { decided, moment } = this.facts;
    const start = this.period === null ? null : formatInstant(this.period.start);
    const known = decided.filter(({ data }) => data.causePosition <= moment.position && data.periodStart === start);
    const cleared = new Set(known.filter(({ type }) => type === 'ThresholdCleared').map(episodeOf));
    const standing = known.filter((one) => one.type === 'ThresholdCrossed' && !cleared.has(episodeOf(one)) && !this.#isForgotten(one));
    return standing
      .map((one, index) => ({ one, index }))
      .sort((a, b) => b.one.data.causePosition - a.one.data.causePosition || b.index - a.index)
      .map(({ one }) => one);
  }

  /** A threshold that was taken out of the definition is forgotten without a word, as soon as the period is judged again. */
  #isForgotten({ data: { threshold, causePosition } }: Decided): boolean {
    const { definitions, state, changes, moment } = this.facts;
    const judged = changes.flatMap((at) => {
      if (findBudget(definitions, state.budgetId, at)?.definedPosition !== at) return [at];
      return this.#countOf(at) ?? (this.isCounted && at === state.definedPosition ? at : []);
    });
    return judged.some((at) => {
      if (at <= causePosition || at > moment.position) return false;
      const listed = findBudget(definitions, state.budgetId, at)?.definition.thresholds ?? [];
      return !listed.some((one) => thresholdKey(one) === threshold);
    });
  }

  /** Where the past of the definition made at a position was in the ledger, complete; null: not by then. */
  #countOf(through: number): number | null {
    const { counted, moment } = this.facts;
    return counted.find(({ data, position }) => data.complete && data.through === through && position <= moment.position)?.position ?? null;
  }

  /** What the loop, and the count if it is in, had made of usage by then. */
  #posted(usage: UsageRecordedEvent, corrections: readonly MetCorrection[]): Posted {
    const { moment, state } = this.facts;
    const isNew = usage.position > state.definedPosition;
    const end = isVoided(corrections) ? NOTHING : posted(this.#cost(usage, corrections, moment.position).cost);
    if (this.isCounted || isNew) return end;
    // The count is not in: the loop has only what happened since the definition. Had the count been in, it would have stood at `before`.
    const counted = corrections.filter(({ at }) => at <= state.definedPosition);
    if (isVoided(counted)) return NOTHING;
    const next = corrections[counted.length];
    const { cost, pricedAt } = this.#cost(usage, counted, next?.at ?? moment.position);
    // A price came in meanwhile: it left the waiting before the count has put it there.
    const arrived = cost !== null && cost.at === pricedAt && cost.at > state.definedPosition;
    const priced = arrived ? { spend: cost.picos, waiting: -1 } : NOTHING;
    return next === undefined ? priced : sum(priced, sum(end, minus(posted(cost))));
  }

  /** Every event that changed what the usage comes to is when its period was changed, if it is not the count's. */
  #touchAll(usage: UsageRecordedEvent, corrections: readonly MetCorrection[]): void {
    const { moment, state, arrivals } = this.facts;
    const since = state.definedPosition;
    if (usage.position > since) this.#touch(usage.position, usage.recordedAt);
    for (let said = 0; said <= corrections.length; said += 1) {
      const next = corrections[said];
      const before = corrections.slice(0, said);
      if (isVoided(before)) return;
      const { cost } = this.#cost(usage, before, next?.at ?? moment.position);
      if (cost !== null && cost.at > since) this.#touch(cost.at, arrivals.recordedAt(cost.at) ?? null);
      if (next === undefined || next.at <= since) continue;
      const after = next.cost === null ? null : this.#cost(usage, [...before, next], next.at).cost;
      if (next.cost === null || after?.picos !== cost?.picos) this.#touch(next.at, next.recordedAt);
    }
  }

  /** In the budget's currency; null: it waits. */
  #cost(usage: UsageRecordedEvent, corrections: readonly MetCorrection[], through: number) {
    const { definitions, arrivals, state } = this.facts;
    const settled = settledCharge(usage, definitions, arrivals, through, corrections);
    return { cost: settledCost(settled, usage, state, definitions, arrivals, through), pricedAt: settled.pricedAt };
  }

  /** A hold belongs to the period in which it was placed (PRODUCT E3). */
  #heldIn(start: EpochNs | undefined): bigint {
    if (start === undefined) return 0n;
    const inside = this.facts.held.filter(({ at, position }) => this.#periodAt(at, position)?.start === start);
    return inside.reduce((sum, { picos }) => sum + picos, 0n);
  }

  #isPeriod(start: EpochNs): boolean {
    return this.period?.start === start;
  }

  #touch(position: number, recordedAt: string | null): void {
    if (position <= this.#touchedAt || recordedAt === null) return;
    [this.#touchedAt, this.#touched] = [position, recordedAt];
  }
}

const episodeOf = ({ data }: Decided): string => `${data.threshold}/${data.episode}`;

/** What a balance has of one usage. */
type Posted = Readonly<{ spend: bigint; waiting: number }>;
const NOTHING: Posted = { spend: 0n, waiting: 0 };
const posted = (cost: Readonly<{ picos: bigint }> | null): Posted =>
  cost === null ? { spend: 0n, waiting: 1 } : { spend: cost.picos, waiting: 0 };
const minus = ({ spend, waiting }: Posted): Posted => ({ spend: -spend, waiting: -waiting });
const sum = (a: Posted, b: Posted): Posted => ({ spend: a.spend + b.spend, waiting: a.waiting + b.waiting });
