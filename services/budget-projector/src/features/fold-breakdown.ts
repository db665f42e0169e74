import type { LedgerEvent, UsageRecordedEvent } from '@bursar/contracts';
import {
  type Charge,
  type CorrectingEvent,
  charge,
  completesPrices,
  correctionOf,
  originalOf,
  settledCharge,
  standing,
  takesEffect,
} from '@bursar/contracts/folds';
import type { Quarantined } from '../domain/changes.js';
import type { CorrectionsAt } from '../domain/fold-counted.js';
import { Rollups } from '../domain/rollups.js';
import type { WaitingForPrice } from '../domain/waiting.js';
import { type BreakdownBatch, toWaitingRow } from './batches.js';
import type { Flush } from './fold/open-changes.js';
import type { Folded } from './handover.js';
import { HoldsNamed } from './holds-named.js';
import { isCorrection, isUnreadable } from './ledger.js';
import type { ProjectionTables } from './projection-tables.js';
import type { TenantHistories } from './tenant-histories.js';

const WAITING_PAGE = 1_000;

/** Folds usage into rollup cells. Definitions come from the main loop's histories, which are never behind. */
export class BreakdownFold {
  readonly #rollups = new Rollups();
  #waiting: WaitingForPrice[] = [];
  #settled: { tenant: string; position: number }[] = [];
  #quarantined: Quarantined[] = [];
  #position = 0;
  #events = 0;

  constructor(
    private readonly tables: ProjectionTables,
    private readonly histories: TenantHistories,
  ) {}

  get events(): number {
    return this.#events;
  }

  async fold(items: readonly Folded[], flush: Flush): Promise<void> {
    const corrections = await this.#corrections(items);
    const named = await this.#holdsNamed(items);
    for (const { position, item, charged } of items) {
      if (item === null || isUnreadable(item)) {
        // Nothing to break down, or set aside by the main loop.
      } else if (item.type === 'UsageRecorded') {
        const known = charged ?? (await this.#charge(item, named));
        if (known !== null) this.#addUsage(item, known);
      } else if (isCorrection(item)) {
        await this.#correct(item, corrections.get(item.meta.tenant) ?? new Map(), named);
      } else if (completesPrices(item)) {
        await flush(); // the table of what waits is complete
        await this.#reprice(item);
      }
      this.#position = position;
      this.#events += 1;
    }
  }

  take(): BreakdownBatch {
    const batch = {
      position: this.#position,
      events: this.#events,
      rollups: this.#rollups.take(),
      waiting: this.#waiting.map(toWaitingRow),
      settled: this.#settled,
      quarantined: this.#quarantined,
    };
    [this.#waiting, this.#settled, this.#quarantined, this.#events] = [[], [], [], 0];
    return batch;
  }

  async #charge(usage: UsageRecordedEvent, named: ReadonlyMap<string, HoldsNamed>): Promise<Charge | null> {
    const { tenant } = usage.meta;
    const history = await this.histories.get(tenant);
    named.get(tenant)?.tell(history, usage);
    return this.#attempt(usage.position, tenant, () => charge(usage, history.definitions));
  }

  #addUsage(usage: UsageRecordedEvent, charged: Charge): void {
    const { tenant } = usage.meta;
    this.#attempt(usage.position, tenant, () => this.#rollups.add(tenant, usage, charged));
    if (charged.cost === null) this.#waiting.push({ reason: 'price', tenant, position: usage.position, event: usage });
  }

  /** Of all usage that these correct: the main loop has committed what it made of them. */
  async #corrections(items: readonly Folded[]): Promise<ReadonlyMap<string, CorrectionsAt>> {
    const events = items.flatMap(({ item }) => (item !== null && !isUnreadable(item) && isCorrection(item) ? [item] : []));
    const found = new Map<string, CorrectionsAt>();
    for (const [tenant, ofTenant] of Map.groupBy(events, ({ meta }) => meta.tenant)) {
      const positions = ofTenant.map(({ data }) => data.original.position);
      found.set(tenant, await this.tables.corrections(tenant, positions));
    }
    return found;
  }

  /** By tenant, what is charged here settles: what the main loop hands over charged is not asked for. */
  async #holdsNamed(items: readonly Folded[]): Promise<ReadonlyMap<string, HoldsNamed>> {
    const usages = items.flatMap(({ item, charged }) => {
      if (item === null || isUnreadable(item) || charged !== null) return [];
      return item.type === 'UsageRecorded' ? [item] : isCorrection(item) ? [originalOf(item)] : [];
    });
    const named = new Map<string, HoldsNamed>();
    for (const [tenant, ofTenant] of Map.groupBy(usages, ({ meta }) => meta.tenant)) {
      named.set(tenant, await HoldsNamed.of(this.tables, tenant, ofTenant));
    }
    return named;
  }

  async #correct(event: CorrectingEvent, corrections: CorrectionsAt, named: ReadonlyMap<string, HoldsNamed>): Promise<void> {
    const { tenant } = event.meta;
    const history = await this.histories.get(tenant);
    const { definitions, arrivals } = history;
    const usage = originalOf(event);
    named.get(tenant)?.tell(history, usage);
    const before = standing(corrections.get(usage.position) ?? [], event.position - 1);
    const correction = correctionOf(event);
    if (!takesEffect(before, correction)) return;
    this.#attempt(event.position, tenant, () => {
      const was = settledCharge(usage, definitions, arrivals, event.position, before).charged;
      if (correction.cost === null) this.#rollups.takeBack(tenant, usage, was);
      else this.#rollups.reprice(tenant, usage, was, { ...was, cost: correction.cost, unpriced: [] });
      this.#settled.push({ tenant, position: usage.position });
    });
  }

  async #reprice(event: LedgerEvent): Promise<void> {
    const { tenant } = event.meta;
    const history = await this.histories.get(tenant);
    const { definitions } = history;
    for (let after = 0; ; ) {
      const page = await this.tables.waiting('breakdown', tenant, 'price', after, WAITING_PAGE);
      const usages = page.flatMap((waiting) => (waiting.reason === 'price' ? [waiting.event] : []));
      const named = await HoldsNamed.of(this.tables, tenant, usages);
      for (const waiting of page) {
        if (waiting.reason !== 'price') continue;
        const { event: usage, position } = waiting;
        named.tell(history, usage);
        this.#attempt(position, tenant, () => {
          const priced = charge(usage, definitions, position, event.position);
          if (priced.cost === null) return;
          this.#rollups.reprice(tenant, usage, { ...priced, cost: null }, priced);
          this.#settled.push({ tenant, position });
        });
      }
      after = page.at(-1)?.position ?? after;
      if (page.length < WAITING_PAGE) return;
    }
  }

  #attempt<T>(position: number, tenant: string, step: () => T): T | null {
    try {
      return step();
    } catch (error) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.#quarantined.push({ position, tenant, reason, budgetIds: [] });
      return null;
    }
  }
}
