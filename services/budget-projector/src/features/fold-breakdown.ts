import type { LedgerEvent, UsageRecordedEvent } from '@bursar/contracts';
import { charge } from '@bursar/contracts/folds';
import type { Quarantined } from '../domain/changes.js';
import { Rollups } from '../domain/rollups.js';
import { completesPriceList } from '../domain/tenant-history.js';
import type { WaitingForPrice } from '../domain/waiting.js';
import { type BreakdownBatch, toWaitingRow } from './batches.js';
import type { Flush } from './fold-partition.js';
import { isUnreadable, type LedgerItem } from './ledger.js';
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

  async fold(items: readonly LedgerItem[], flush: Flush): Promise<void> {
    for (const item of items) {
      if (!isUnreadable(item)) await this.#foldEvent(item, flush);
      this.#position = item.position;
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

  async #foldEvent(event: LedgerEvent, flush: Flush): Promise<void> {
    if (event.type === 'UsageRecorded') await this.#addUsage(event);
    else if (completesPriceList(event)) {
      await flush(); // the table of what waits is complete
      await this.#reprice(event);
    }
  }

  async #addUsage(usage: UsageRecordedEvent): Promise<void> {
    const { tenant } = usage.meta;
    const { definitions } = await this.histories.get(tenant);
    this.#attempt(usage.position, tenant, () => {
      const charged = charge(usage, definitions);
      this.#rollups.add(tenant, usage, charged);
      if (charged.cost === null) this.#waiting.push({ reason: 'price', tenant, position: usage.position, event: usage });
    });
  }

  async #reprice(event: LedgerEvent): Promise<void> {
    const { tenant } = event.meta;
    const { definitions } = await this.histories.get(tenant);
    for (let after = 0; ; ) {
      const page = await this.tables.waiting('breakdown', tenant, 'price', after, WAITING_PAGE);
      for (const waiting of page) {
        if (waiting.reason !== 'price') continue;
        const { event: usage, position } = waiting;
        this.#attempt(position, tenant, () => {
          const priced = charge(usage, definitions, position, event.position);
          if (priced.cost === null) return;
          const unpriced = { ...priced, cost: null };
          this.#rollups.reprice(tenant, usage, unpriced, priced);
          this.#settled.push({ tenant, position });
        });
      }
      after = page.at(-1)?.position ?? after;
      if (page.length < WAITING_PAGE) return;
    }
  }

  #attempt(position: number, tenant: string, step: () => void): void {
    try {
      step();
    } catch (error) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.#quarantined.push({ position, tenant, reason, budgetIds: [] });
    }
  }
}
