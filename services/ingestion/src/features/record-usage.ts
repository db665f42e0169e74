import { partitionOf, usageStream } from '@bursar/contracts';
import { tenantSettings } from '@bursar/contracts/folds';
import type { UsageItem } from '@bursar/contracts/http';
import { type EventOutcome, EventStore, type EventToAppend } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { AgeWindow } from '../domain/age-window.js';
import { lateSeconds, type PreparedUsage, prepareUsage } from '../domain/prepare-usage.js';
import { rejected, resultOf, type UsageResult } from '../domain/usage-result.js';
import { LedgerClock, nowBy, PriceLists, UsageMeter } from './ports.js';
import { RefuseUnreserved } from './refuse-unreserved.js';
import { metaText, type UsageSender } from './sender.js';

export type UsageReceipt = Readonly<{
  /** In request order. */
  results: readonly UsageResult[];
  /** `<partition>:<position>` from which on the ledger holds all events of the request; null when it holds none. */
  position: string | null;
}>;

/**
 * Records the events of one request, each for itself: one that is refused sinks nobody else's. What is accepted is durable when it resolves.
 * Throws `StoreUnavailableError` (whether anything was stored is unknown, the same request is safe to repeat) and
 * `StoreOverloadedError` (nothing was stored).
 */
@Injectable()
export class RecordUsage {
  constructor(
    private readonly store: EventStore,
    private readonly clock: LedgerClock,
    private readonly prices: PriceLists,
    private readonly window: AgeWindow,
    private readonly meter: UsageMeter,
    private readonly unreserved: RefuseUnreserved,
  ) {}

  async execute(items: readonly UsageItem[], sender: UsageSender): Promise<UsageReceipt> {
    const { record } = await this.prepare(items, sender);
    return record();
  }

  /**
   * All of {@link execute} but the append, which `record` begins in the turn it is called in: what is appended to the same partition in that
   * turn is committed together with it.
   */
  async prepare(items: readonly UsageItem[], sender: UsageSender): Promise<Readonly<{ record: () => Promise<UsageReceipt> }>> {
    const { tenant } = sender;
    const definitions = await this.prices.of(tenant);
    const window = this.window.atMost(lateSeconds(tenantSettings(definitions)));
    const arrival = { tenant, ...nowBy(this.clock), window, definitions };
    const prepared = await this.unreserved.among(
      items.map((item) => prepareUsage(item, arrival)),
      arrival,
    );
    return { record: () => this.record(prepared, sender) };
  }

  private async record(prepared: readonly PreparedUsage[], sender: UsageSender): Promise<UsageReceipt> {
    const { tenant } = sender;
    const metaOf = metaWriter(sender);
    const events: EventToAppend[] = [];
    for (const usage of prepared) {
      if (!('problem' in usage)) events.push({ ...usage.event, meta: metaOf(usage.item) });
    }
    const partition = partitionOf(tenant, this.store.partitions);
    const outcomes = await this.append(partition, tenant, events);
    let taken = 0;
    let last = 0;
    const results = prepared.map((usage) => {
      if ('problem' in usage) return rejected(usage.item, usage.problem);
      const outcome = outcomes[taken] as EventOutcome;
      taken += 1;
      last = Math.max(last, outcome.position);
      return resultOf(usage.item, usage.event.id, `${partition}:${outcome.position}`, outcome.status);
    });
    this.meter.count(sender.via, results);
    return { results, position: last === 0 ? null : `${partition}:${last}` };
  }

  private async append(partition: number, tenant: string, events: readonly EventToAppend[]): Promise<readonly EventOutcome[]> {
    if (events.length === 0) return [];
    // Without an expectation each event is judged by its id alone: a conflict is that event's, not the request's.
    const result = await this.store.append({ partition, stream: usageStream(tenant), events, expectedRevision: 'any' });
    if (!result.ok) throw new Error('an append without an expectation cannot be refused by one');
    return result.outcomes;
  }
}

/** The meta text of an event: one text for a whole request, but for events that bring a trace of their own. */
const metaWriter = (sender: UsageSender): ((item: UsageItem) => string) => {
  const shared = metaText(sender);
  return (item) => ('trace' in item && item.trace !== undefined ? metaText(sender, item.trace) : shared);
};
