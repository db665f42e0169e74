import { type EpochNs, type EventOf, type LedgerEvent, parseInstant, type UsageRecordedEvent, usageStream } from '@bursar/contracts';
import {
  type CorrectingEvent,
  type Correction,
  completesPrices,
  type DefinitionEvent,
  findBudget,
  isDefinitionEvent,
} from '@bursar/contracts/folds';
import type { BudgetFold, PeriodState } from '../domain/budget-fold.js';
import { Changes, type Quarantined } from '../domain/changes.js';
import { decideCrossings } from '../domain/decide-crossings.js';
import { planCorrection } from '../domain/fold-correction.js';
import {
  type BudgetCountedEvent,
  beginThresholds,
  type CorrectionsAt,
  countedBudget,
  countedPostings,
  foldCounted,
} from '../domain/fold-counted.js';
import { foldDefinition } from '../domain/fold-definition.js';
import { planPriced, planRated, planUsage } from '../domain/fold-usage.js';
import { foldEnded, foldGranted, foldSettlement, type HoldsChangedEvent, settlePriced } from '../domain/holds/fold-holds.js';
import { type Hold, tell } from '../domain/holds/hold.js';
import { applyPlan, type Plan, touch } from '../domain/posting.js';
import type { TenantFold } from '../domain/tenant-fold.js';
import type { Waiting } from '../domain/waiting.js';
import type { FoldMemory } from './fold-memory.js';
import type { Folded } from './handover.js';
import { isCorrection, isUnreadable, type LedgerItem } from './ledger.js';
import type { ProjectionTables } from './projection-tables.js';

const WAITING_PAGE = 1_000;

/** Told of holds as they are folded. */
export type HoldWatch = Readonly<{ opened: (hold: Hold) => void; closed: (hold: Hold) => void }>;
const UNWATCHED: HoldWatch = { opened: () => undefined, closed: () => undefined };

/** Commits all that was folded so far. */
export type Flush = () => Promise<void>;

/**
 * Folds a partition's events in order into memory and into {@link Changes}. Reads what it lacks from the tables; writes nothing.
 * Usage between two definitions is planned first, so that the balances it needs are read in one query; so are corrections in a row.
 */
export class PartitionFold {
  #changes = new Changes();

  constructor(
    private readonly tables: ProjectionTables,
    private readonly memory: FoldMemory,
    private readonly onFolded: (folded: Folded) => void = () => undefined,
    private readonly holds: HoldWatch = UNWATCHED,
  ) {}

  /** What changed since they were last taken. Take them between two folds, and write them before the next are written. */
  takeChanges(): Changes {
    const taken = this.#changes;
    this.#changes = new Changes();
    return taken;
  }

  get changes(): Readonly<Changes> {
    return this.#changes;
  }

  async fold(items: readonly LedgerItem[], flush: Flush): Promise<void> {
    this.memory.step += 1;
    let plans: UsagePlan[] = [];
    let corrections: CorrectingEvent[] = [];
    for (const item of items) {
      if (!isUnreadable(item) && isCorrection(item)) {
        await this.#applyUsage(plans);
        plans = [];
        corrections.push(item);
        continue;
      }
      await this.#foldCorrections(corrections, flush);
      corrections = [];
      if (!isUnreadable(item) && item.type === 'UsageRecorded') {
        const tenant = this.memory.known(item.meta.tenant) ?? (await this.memory.tenant(item.meta.tenant));
        tenant.firstUsage ??= item.position;
        await this.#tellHold(tenant, item);
        plans.push({ event: item, tenant, plan: this.#attempt(item, () => planUsage(tenant, item)) });
        continue;
      }
      await this.#applyUsage(plans);
      plans = [];
      if (isUnreadable(item)) {
        const { position, tenant, unreadable } = item;
        this.#setAside({ position, tenant, reason: unreadable, budgetIds: null });
        this.#changes.passed({ position, meta: { tenant: tenant ?? '' } });
        this.onFolded({ item, charged: null });
      } else {
        await this.#foldOther(item, flush);
        this.#changes.passed(item);
        this.onFolded({ item, charged: null });
        if (this.#changes.recounted.length > 0) await flush(); // what is read of the budget from here on must be read without its old balances
      }
    }
    await this.#applyUsage(plans);
    await this.#foldCorrections(corrections, flush);
  }

  async #applyUsage(plans: readonly UsagePlan[]): Promise<void> {
    await this.memory.load(plans.flatMap(({ plan }) => plan?.postings ?? []));
    for (const { event, tenant, plan } of plans) {
      if (plan !== null && this.#apply(plan, event.position) && event.data.reservationId !== undefined) this.#close(tenant, event, plan);
      this.#changes.passed(event);
      this.onFolded({ item: event, charged: plan?.charged ?? null });
    }
  }

  async #foldOther(event: LedgerEvent, flush: Flush): Promise<void> {
    if (isDefinitionEvent(event)) return this.#foldDefinition(event, flush);
    if (event.stream === usageStream(event.meta.tenant)) this.#noteUsage(event);
    switch (event.type) {
      case 'BudgetCounted':
        return this.#foldCounted(event, flush);
      case 'PriceCorrectionApplied':
        this.#changes.pricesApplied.push({ tenant: event.meta.tenant, correctionId: event.data.correctionId });
        return;
      case 'ThresholdCrossed': {
        const { id, position, recordedAt, data, meta } = event;
        this.#changes.told.push({ tenant: meta.tenant, alertId: id, data, position, at: recordedAt });
        return;
      }
      case 'ThresholdCleared':
        this.#changes.cleared.push({ ...event.data, tenant: event.meta.tenant, at: event.recordedAt });
        return;
      case 'OverrideExpired':
      case 'PeriodRestated':
        return this.#judgeAgain(event);
      case 'HoldsChanged':
        return this.#foldHolds(event);
      case 'PeriodEnded':
      case 'PeriodStarted':
      case 'BudgetExpired':
      case 'TemplateSaved':
      case 'TemplateRemoved':
      case 'PartitionTaken':
      case 'UsageRecorded':
      case 'UsageVoided':
      case 'UsageRerated':
      case 'UsageRefused':
      case 'UsageQuarantined':
      case 'AlertRaised':
      case 'AlertAcknowledged':
      case 'ChannelSaved':
      case 'ChannelRemoved':
      case 'NotificationTemplateSaved':
      case 'LiteLlmNotified':
        return;
    }
  }

  /** A stream of usage may begin with what was refused or set aside: whoever loads the tenant later sees it begin there. */
  #noteUsage({ position, meta }: LedgerEvent): void {
    const tenant = this.memory.known(meta.tenant);
    if (tenant !== undefined) tenant.firstUsage ??= position;
  }

  async #foldDefinition(event: DefinitionEvent, flush: Flush): Promise<void> {
    const tenant = await this.memory.tenant(event.meta.tenant);
    // Histories may run ahead: whether the tables must be complete first depends on what the event means.
    if (this.#attempt(event, () => evolved(tenant, event)) === null) return;
    if (recounts(tenant, event) || (releasesWaiting(event) && this.#waitingUnwritten())) await flush();
    const followUp = this.#attempt(event, () => foldDefinition(tenant, event, this.#changes));
    if (followUp === null) return;
    if (followUp.effect === 'reset') await this.#cut(followUp.budget, event);
    if (followUp.effect === 'judge' || followUp.effect === 'reset') await this.#judge(followUp.budget, event);
    if (followUp.effect === 'price' || followUp.effect === 'rate') await this.#settle(tenant, followUp.effect, event);
  }

  /** A reset by hand ended the open period: what was spent in it stays, and its row ends sooner. */
  async #cut(budget: BudgetFold, event: LedgerEvent): Promise<void> {
    const ended = budget.periodAt(parseInstant(event.recordedAt) - 1n);
    if (ended === null) return;
    await this.memory.load([{ budget, period: ended }]);
    const state = budget.periods.get(ended.start);
    if (state !== undefined && state.position > 0) touch(state, event, this.#changes, this.memory.step);
  }

  /** What the clock did to a budget is news at the position where the ledger tells of it: its open periods are judged again. */
  async #judgeAgain(event: EventOf<'OverrideExpired' | 'PeriodRestated'>): Promise<void> {
    const budget = (await this.memory.tenant(event.meta.tenant)).budgets.get(event.data.budgetId);
    if (budget !== undefined) await this.#judge(budget, event);
  }

  /** Only periods that have not ended: a limit edited later leaves closed ones as they were judged. */
  async #judge(budget: BudgetFold, event: LedgerEvent): Promise<void> {
    if (budget.countedPosition === null) return;
    const now = parseInstant(event.recordedAt);
    await this.memory.loadEndingAfter(budget, now);
    for (const period of inOrder(budget, now)) {
      period.usedAt = this.memory.step;
      decideCrossings(period, event, this.#changes);
    }
  }

  /** Usage that waited is charged at the position where its price or rate came in. */
  async #settle(tenant: TenantFold, reason: Waiting['reason'], event: LedgerEvent): Promise<void> {
    for (let after = 0; ; ) {
      const page = await this.tables.waiting('budget', tenant.tenant, reason, after, WAITING_PAGE);
      const holds = await this.#holdsOf(tenant, page);
      const plans = page.flatMap((waiting) => {
        const hold = holds.get(waiting.position) ?? null;
        if (hold !== null) tell(tenant.history, hold);
        const plan = this.#attempt({ ...event, position: waiting.position }, () =>
          waiting.reason === 'price' ? planPriced(tenant, waiting, event) : planRated(tenant, waiting, event),
        );
        return plan === null ? [] : [{ plan, waiting, hold }];
      });
      await this.memory.load(plans.flatMap(({ plan }) => plan.postings));
      for (const { plan, waiting, hold } of plans) {
        const isIn = this.#apply(plan, waiting.position);
        if (!isIn || hold === null || waiting.reason !== 'price' || plan.charged === undefined) continue;
        settlePriced(tenant, hold, waiting.event, plan.charged, event, this.#changes);
      }
      after = page.at(-1)?.position ?? after;
      if (page.length < WAITING_PAGE) return;
    }
  }

  /** One by one: what takes room before it is folded, and what takes it then, change places at once. */
  async #foldHolds(event: HoldsChangedEvent): Promise<void> {
    for (const change of event.data.changes) {
      const tenant = await this.memory.tenant(change.tenant);
      this.#changes.tenants.add(change.tenant);
      if (change.change === 'granted') {
        // Who decided it looked the id up; only a fold that comes later, from the ledger alone, has to ask.
        const decided = tenant.undecided.get(change.reservationId);
        const isNew = decided !== undefined && !decided.overtaken;
        const before = isNew ? null : await this.memory.hold(tenant, change.reservationId);
        const opened = this.#attempt(event, () => foldGranted(tenant, change, before, event, this.#changes));
        if (opened !== null) this.holds.opened(opened);
      } else {
        const closed = this.#attempt(event, () => foldEnded(tenant, change, event, this.#changes));
        if (closed !== null) this.#closed(tenant, closed);
      }
    }
  }

  /** Usage that names a reservation is charged as that: the charge is made right after this. */
  async #tellHold(tenant: TenantFold, { data: { reservationId } }: Pick<UsageRecordedEvent, 'data'>): Promise<void> {
    if (reservationId === undefined) return;
    const hold = tenant.holds.get(reservationId) ?? (await this.memory.hold(tenant, reservationId));
    if (hold !== null) tell(tenant.history, hold);
  }

  /** The amount is counted: in the same step the hold that it settles is gone. */
  #close(tenant: TenantFold, usage: UsageRecordedEvent, { charged }: Plan): void {
    if (charged === undefined) return;
    const known = tenant.holds.get(usage.data.reservationId ?? '') ?? null;
    const closed = foldSettlement(tenant, usage, charged, known, this.#changes);
    if (closed !== null) this.#closed(tenant, closed);
    else this.#forgettable(tenant, usage.data.reservationId ?? '');
  }

  #closed(tenant: TenantFold, hold: Hold): void {
    this.memory.closed(tenant, hold);
    this.holds.closed(hold);
  }

  #forgettable(tenant: TenantFold, reservationId: string): void {
    const one = tenant.holds.get(reservationId);
    if (one !== undefined) this.memory.closed(tenant, one);
  }

  /** Of usage that waited for a price, by its position. */
  async #holdsOf(tenant: TenantFold, page: readonly Waiting[]): Promise<ReadonlyMap<number, Hold>> {
    const holds = new Map<number, Hold>();
    for (const waiting of page) {
      const id = waiting.reason === 'price' ? waiting.event.data.reservationId : undefined;
      const hold = id === undefined ? null : await this.memory.hold(tenant, id);
      if (hold !== null) holds.set(waiting.position, hold);
    }
    return holds;
  }

  async #foldCounted(event: BudgetCountedEvent, flush: Flush): Promise<void> {
    const tenant = await this.memory.tenant(event.meta.tenant);
    const budget = countedBudget(tenant, event);
    if (budget === null) return;
    const corrections = await this.#corrections(
      event.meta.tenant,
      event.data.waitingForRate.map(({ position }) => position),
    );
    const part = this.#attempt(event, () => countedPostings(tenant, budget, event, corrections));
    if (part === null) return;
    if (part.waiting.length > 0 && this.#waitingUnwritten()) await flush();
    await this.memory.load([...part.sums.map(({ period }) => ({ budget, period })), ...part.rated]);
    this.#attempt(event, () => foldCounted(tenant, part, event, this.#changes, this.memory.step));
    if (!event.data.complete) return;
    await this.memory.loadEndingAfter(budget, budget.state.createdAt);
    beginThresholds(budget, event, this.#changes);
  }

  /** Of one another's usage too. Each asks what was said of its usage before, and whether it was set aside: what was never counted is not taken back. */
  async #foldCorrections(events: readonly CorrectingEvent[], flush: Flush): Promise<void> {
    const [first] = events;
    if (first === undefined) return;
    if (this.#changes.quarantined.length > 0 || (this.memory.writing?.quarantined.length ?? 0) > 0) await flush();
    const aside = await this.tables.setAside(
      first.partition,
      events.map(({ data }) => data.original.position),
    );
    const known = new Map<string, Map<number, readonly Correction[]>>();
    for (const [tenant, ofTenant] of Map.groupBy(events, ({ meta }) => meta.tenant)) {
      const positions = ofTenant.map(({ data }) => data.original.position);
      known.set(tenant, new Map(await this.#corrections(tenant, positions)));
    }
    const plans: { event: CorrectingEvent; plan: Plan | null }[] = [];
    for (const event of events) {
      const tenant = await this.memory.tenant(event.meta.tenant);
      const { position } = event.data.original;
      const corrections = known.get(event.meta.tenant)?.get(position) ?? [];
      const neverCounted = aside.get(position);
      const before = { corrections, neverCounted: neverCounted === undefined ? NOBODY : neverCounted };
      await this.#tellHold(tenant, event.data.original);
      const plan = this.#attempt(event, () => planCorrection(tenant, event, before));
      if (plan?.corrects !== undefined) known.get(event.meta.tenant)?.set(position, [...corrections, plan.corrects.correction]);
      plans.push({ event, plan });
    }
    await this.memory.load(plans.flatMap(({ plan }) => plan?.postings ?? []));
    for (const { event, plan } of plans) {
      if (plan !== null) this.#apply(plan, event.position);
      this.#changes.passed(event);
      this.onFolded({ item: event, charged: null });
    }
  }

  /** What was said of the usage at these positions, written or not. */
  async #corrections(tenant: string, positions: readonly number[]): Promise<CorrectionsAt> {
    if (positions.length === 0) return new Map();
    // Before the tables are asked: what is being written now may be in them, or not, by the time they answer.
    const unwritten = [...(this.memory.writing?.corrected ?? []), ...this.#changes.corrected].filter((one) => one.tenant === tenant);
    const found = new Map(await this.tables.corrections(tenant, positions));
    for (const { position, correction } of unwritten) found.set(position, [...(found.get(position) ?? []), correction]);
    return found;
  }

  #waitingUnwritten(): boolean {
    return this.#changes.touchWaiting || this.memory.writing?.touchWaiting === true;
  }

  /** False: it is set aside. */
  #apply(plan: Plan, position: number): boolean {
    try {
      applyPlan(plan, this.#changes, this.memory.step);
      return true;
    } catch (error) {
      const budgetIds = plan.postings.map(({ budget }) => budget.id);
      this.#setAside({ position, tenant: plan.tenant, reason: reasonOf(error), budgetIds });
      return false;
    }
  }

  /** Its budgets are incomplete from here on, in memory and in what is committed. */
  #setAside(quarantined: Quarantined): void {
    this.#changes.quarantined.push(quarantined);
    const tenant = quarantined.tenant === null ? undefined : this.memory.known(quarantined.tenant);
    for (const budgetId of quarantined.budgetIds ?? [null]) tenant?.incomplete.add(budgetId);
  }

  /** Runs a pure step. An event it cannot take is set aside, for all budgets of its tenant; null then. */
  #attempt<T>({ position, meta }: Pick<LedgerEvent, 'position' | 'meta'>, step: () => T): T | null {
    try {
      return step();
    } catch (error) {
      this.#setAside({ position, tenant: meta.tenant, reason: reasonOf(error), budgetIds: null });
      return null;
    }
  }
}

const NOBODY: ReadonlySet<string> = new Set();

type UsagePlan = Readonly<{ event: UsageRecordedEvent; tenant: TenantFold; plan: Plan | null }>;

const evolved = (tenant: TenantFold, event: DefinitionEvent): true => {
  tenant.history.evolve(event);
  return true;
};

/** Does the event make a budget count something else? What the tables hold of it is then forgotten. */
const recounts = (tenant: TenantFold, event: DefinitionEvent): boolean =>
  event.type === 'BudgetChanged' &&
  tenant.budgets.has(event.data.budgetId) &&
  findBudget(tenant.history.definitions, event.data.budgetId)?.definedPosition === event.position;

const releasesWaiting = (event: DefinitionEvent): boolean => event.type === 'ExchangeRateSet' || completesPrices(event);

const inOrder = (budget: BudgetFold, endingAfter: EpochNs): readonly PeriodState[] =>
  [...budget.periods.values()].filter(({ period }) => period.end > endingAfter).sort((a, b) => (a.period.start < b.period.start ? -1 : 1));

const reasonOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
