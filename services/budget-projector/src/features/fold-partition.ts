import { type LedgerEvent, type UsageRecordedEvent, usageStream } from '@bursar/contracts';
import { type Charge, type CorrectingEvent, isDefinitionEvent } from '@bursar/contracts/folds';
import type { Changes } from '../domain/changes.js';
import { planUsage } from '../domain/fold-usage.js';
import type { Plan } from '../domain/posting.js';
import type { TenantFold } from '../domain/tenant-fold.js';
import { foldCorrections } from './fold/corrections.js';
import { addCount } from './fold/counts.js';
import { DefinitionsFold } from './fold/definitions.js';
import { type Flush, OpenChanges } from './fold/open-changes.js';
import { type HoldWatch, ReservationsFold } from './fold/reservations.js';
import { settleWaiting } from './fold/settle-waiting.js';
import { noteTold } from './fold/told.js';
import type { FoldMemory } from './fold-memory.js';
import { isCorrection, isUnreadable, type LedgerItem, type Unreadable } from './ledger.js';
import { OwnChanges } from './own-changes.js';
import type { ProjectionTables } from './projection-tables.js';

const UNWATCHED: HoldWatch = { opened: () => undefined, closed: () => undefined };

/**
 * Folds a partition's events in order into memory and into {@link Changes}. Reads what it lacks from the tables; writes nothing.
 * Usage between two definitions is planned first, so that the balances it needs are read in one query; so are corrections in a row.
 */
export class PartitionFold {
  readonly #open: OpenChanges;
  readonly #reservations: ReservationsFold;
  readonly #definitions: DefinitionsFold;

  constructor(
    private readonly tables: ProjectionTables,
    private readonly memory: FoldMemory,
    /** Of each, in order: what it was charged as, null when it was not. */
    private readonly onFolded: (item: LedgerItem, charged: Charge | null) => void = () => undefined,
    watch: HoldWatch = UNWATCHED,
    own: OwnChanges = new OwnChanges(),
  ) {
    const open = new OpenChanges(tables, memory);
    const reservations = new ReservationsFold(open, watch, own, tables);
    this.#open = open;
    this.#reservations = reservations;
    this.#definitions = new DefinitionsFold(open, (tenant, reason, event) =>
      settleWaiting(tables, open, reservations, tenant, reason, event),
    );
  }

  /** What changed since they were last taken. Take them between two folds, and write them before the next are written. */
  takeChanges(): Changes {
    return this.#open.take();
  }

  get changes(): Readonly<Changes> {
    return this.#open.now;
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
      if (corrections.length > 0) await this.#foldCorrections(corrections, flush);
      corrections = [];
      if (!isUnreadable(item) && item.type === 'UsageRecorded') {
        const tenant = this.memory.known(item.meta.tenant) ?? (await this.memory.tenant(item.meta.tenant));
        if (item.data.reservationId !== undefined) await this.#reservations.tell(tenant, item);
        plans.push(this.#plan(tenant, item));
        continue;
      }
      await this.#applyUsage(plans);
      plans = [];
      if (isUnreadable(item)) this.#setAside(item);
      else {
        await this.#foldOther(item, flush);
        this.#passed(item);
        if (this.changes.recounted.length > 0) await flush(); // what is read of the budget from here on must be read without its old balances
      }
    }
    await this.#applyUsage(plans);
    await this.#foldCorrections(corrections, flush);
  }

  #plan(tenant: TenantFold, event: UsageRecordedEvent): UsagePlan {
    tenant.firstUsage ??= event.position;
    return { event, tenant, plan: this.#open.attempt(event, () => planUsage(tenant, event)) };
  }

  async #applyUsage(plans: readonly UsagePlan[]): Promise<void> {
    if (plans.length === 0) return;
    await this.memory.load(plans.flatMap(({ plan }) => plan?.postings ?? []));
    for (const { event, tenant, plan } of plans) {
      if (plan !== null && this.#open.apply(plan, event.position)) this.#reservations.settle(tenant, event, plan);
      this.#open.now.passed(event);
      this.onFolded(event, plan?.charged ?? null);
    }
  }

  #foldCorrections(events: readonly CorrectingEvent[], flush: Flush): Promise<void> {
    return foldCorrections(this.tables, this.#open, this.#reservations, events, flush, (event) => this.#passed(event));
  }

  #setAside(item: Unreadable): void {
    const { position, tenant, unreadable } = item;
    this.#open.setAside({ position, tenant, reason: unreadable, budgetIds: null });
    this.#open.now.passed({ position, meta: { tenant: tenant ?? '' } });
    this.onFolded(item, null);
  }

  #passed(event: LedgerEvent): void {
    this.#open.now.passed(event);
    this.onFolded(event, null);
  }

  async #foldOther(event: LedgerEvent, flush: Flush): Promise<void> {
    if (isDefinitionEvent(event)) return this.#definitions.change(event, flush);
    if (event.stream === usageStream(event.meta.tenant)) this.#noteUsage(event);
    switch (event.type) {
      case 'BudgetCounted':
        return addCount(this.#open, event, flush);
      case 'PriceCorrectionApplied':
      case 'ThresholdCrossed':
      case 'ThresholdCleared':
        return noteTold(event, this.#open.now);
      case 'OverrideExpired':
      case 'PeriodRestated':
        return this.#definitions.judgeAgain(event);
      case 'HoldsChanged':
        return this.#reservations.change(event);
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
}

type UsagePlan = Readonly<{ event: UsageRecordedEvent; tenant: TenantFold; plan: Plan | null }>;
