import {
  type EpochNs,
  type EventOf,
  formatInstant,
  type Period,
  parseInstant,
  periodResolver,
  type UsageRecordedEvent,
  type UsageVoidedEvent,
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
  originalOf,
  rolledOver,
  rolloverChain,
  type Settled,
  settledCost,
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
  /** Where each was voided. */
  readonly #voided = new Map<string, number>();

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

  /** One usage event with what it had come to by then, or a void of one: a void comes before what it voids. */
  add(event: UsageRecordedEvent | UsageVoidedEvent, settled: Settled): void {
    const { state } = this.facts;
    const { charged } = settled;
    if (!budgetCounts(state, charged)) return;
    const start = this.#periodAt(charged.effectiveAt, positionOf(event))?.start;
    if (start !== this.period?.start) {
      this.#addBefore(event, settled, start);
      return;
    }
    if (event.type === 'UsageVoided') {
      this.#voided.set(event.data.eventId, event.position);
      if (event.position > state.definedPosition) this.#touch(event.position, event.recordedAt);
      // Not counted yet and taken back already: the count, when it comes, adds what is missing here.
      if (!this.isCounted && event.data.original.position <= state.definedPosition && event.position > state.definedPosition) {
        this.#post(originalOf(event), settled, -1);
      }
      return;
    }
    const isNew = event.position > state.definedPosition;
    if (isNew) this.#touch(event.position, event.recordedAt);
    const cost = this.#cost(event, settled);
    const voidedAt = this.#voided.get(event.id);
    const wasSettled = cost !== null && cost.at > state.definedPosition && (voidedAt === undefined || cost.at < voidedAt);
    if (wasSettled) this.#touch(cost.at, this.facts.arrivals.recordedAt(cost.at) ?? null);
    if (voidedAt !== undefined) return;
    if (this.isCounted || isNew) this.#post(event, settled, 1);
    // A price came in meanwhile: it left the waiting before the count has put it there.
    else if (cost !== null && cost.at === settled.pricedAt && cost.at > state.definedPosition) {
      this.#spend += cost.picos;
      this.#waiting -= 1;
    }
  }

  /** `since`: when the cause of a crossing was recorded. */
  status(since: (causePosition: number) => EpochNs): BudgetStatus {
    const { state, moment, updatedAt } = this.facts;
    return budgetStatus({
      budgetId: state.budgetId,
      definition: state.definition,
      period: this.period,
      balance: { spend: this.#spend, waiting: this.#waiting },
      crossings: this.active().map((crossed): Crossing => {
        return { alertId: crossed.id, data: crossed.data, crossedAt: since(crossed.data.causePosition), clearedAt: null };
      }),
      counting: !this.isCounted,
      incomplete: this.facts.incomplete,
      controls: state.controls,
      carried: rolledOver(state.terms, state.currency, this.#chain, ({ start }) => this.#spendBefore.get(start) ?? 0n),
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

  /** What an earlier period of the chain had come to by then: of it only the spend matters. */
  #addBefore(event: UsageRecordedEvent | UsageVoidedEvent, settled: Settled, startOfIt: EpochNs | undefined): void {
    const period = this.#chain.find(({ start }) => start === startOfIt);
    if (period === undefined) return;
    const { state } = this.facts;
    const spend = this.#spendBefore.get(period.start) ?? 0n;
    if (event.type === 'UsageVoided') {
      this.#voided.set(event.data.eventId, event.position);
      const takesBack = !this.isCounted && event.data.original.position <= state.definedPosition && event.position > state.definedPosition;
      const cost = takesBack ? this.#cost(originalOf(event), settled) : null;
      if (cost !== null) this.#spendBefore.set(period.start, spend - cost.picos);
      return;
    }
    if (this.#voided.has(event.id)) return;
    const cost = this.#cost(event, settled);
    const isIn =
      this.isCounted ||
      event.position > state.definedPosition ||
      (cost?.at === settled.pricedAt && settled.pricedAt > state.definedPosition);
    if (cost !== null && isIn) this.#spendBefore.set(period.start, spend + cost.picos);
  }

  #cost(usage: UsageRecordedEvent, settled: Settled) {
    const { definitions, arrivals, state, moment } = this.facts;
    return settledCost(settled, usage, state, definitions, arrivals, moment.position);
  }

  #post(usage: UsageRecordedEvent, settled: Settled, sign: 1 | -1): void {
    const cost = this.#cost(usage, settled);
    if (cost === null) this.#waiting += sign;
    else this.#spend += sign === 1 ? cost.picos : -cost.picos;
  }

  #isPeriod(start: EpochNs): boolean {
    return this.period?.start === start;
  }

  #touch(position: number, recordedAt: string | null): void {
    if (position <= this.#touchedAt || recordedAt === null) return;
    [this.#touchedAt, this.#touched] = [position, recordedAt];
  }
}

/** Of the usage itself: a void takes it from where it was counted. */
const positionOf = (event: UsageRecordedEvent | UsageVoidedEvent): number =>
  event.type === 'UsageVoided' ? event.data.original.position : event.position;

const episodeOf = ({ data }: Decided): string => `${data.threshold}/${data.episode}`;
