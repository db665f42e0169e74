import { parseInstant, partitionOf, type UsageData, type WireMoney } from '@bursar/contracts';
import { budgetAppliesAt, budgetsOnPath, type TenantDefinitions, tenantSettings, usagePath } from '@bursar/contracts/folds';
import type { UsageItem } from '@bursar/contracts/http';
import { EventStore, type KnownEvent } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { AgeWindow } from '../domain/age-window.js';
import { lateSeconds, type PreparedUsage, prepareUsage } from '../domain/prepare-usage.js';
import { rejected, resultOf, type UsageResult } from '../domain/usage-result.js';
import { LedgerClock, nowBy, PriceLists, TenantBook } from './ports.js';
import { RefuseUnreserved } from './refuse-unreserved.js';

/** What recording the event would do: what it costs, which units have no price, which budgets count it. */
export type DryRunResult = UsageResult &
  Readonly<{ cost: WireMoney | null; unpriced: readonly string[]; budgets: readonly { budgetId: string }[] }>;

const NEWEST = Number.POSITIVE_INFINITY;

/** Judges, rates and attributes the events of a request as recording would, and writes nothing. */
@Injectable()
export class DryRunUsage {
  constructor(
    private readonly store: EventStore,
    private readonly clock: LedgerClock,
    private readonly prices: PriceLists,
    private readonly book: TenantBook,
    private readonly window: AgeWindow,
    private readonly unreserved: RefuseUnreserved,
  ) {}

  async execute(items: readonly UsageItem[], tenant: string): Promise<readonly DryRunResult[]> {
    const [prices, book] = await Promise.all([this.prices.of(tenant), this.book.load(tenant)]);
    const window = this.window.atMost(lateSeconds(tenantSettings(prices)));
    const arrival = { tenant, ...nowBy(this.clock), window, definitions: prices };
    const prepared = await this.unreserved.among(
      items.map((item) => prepareUsage(item, arrival)),
      arrival,
    );
    const partition = partitionOf(tenant, this.store.partitions);
    const ids = prepared.flatMap((usage) => ('event' in usage ? [usage.event.id] : []));
    const known = await this.store.lookup(partition, ids);
    const seen = new Map<string, Uint8Array>();
    return prepared.map((usage) => {
      const nothing = { cost: null, unpriced: [], budgets: [] };
      if ('problem' in usage) return { ...rejected(usage.item, usage.problem), ...nothing };
      const result = this.expect(usage, partition, known.get(usage.event.id), seen);
      return { ...result, ...attribute(JSON.parse(usage.event.data) as UsageData, book) };
    });
  }

  private expect(
    { item, event }: Extract<PreparedUsage, { event: unknown }>,
    partition: number,
    known: KnownEvent | undefined,
    seen: Map<string, Uint8Array>,
  ): UsageResult {
    const earlier = known?.contentHash ?? seen.get(event.id);
    seen.set(event.id, earlier ?? event.contentHash);
    const status = earlier === undefined ? 'accepted' : Buffer.compare(earlier, event.contentHash) === 0 ? 'duplicate' : 'conflict';
    return resultOf(item, event.id, known === undefined ? null : `${partition}:${known.position}`, status);
  }
}

/** Its price was decided while it was prepared; what is left is who pays. */
const attribute = (usage: UsageData, book: TenantDefinitions): Pick<DryRunResult, 'cost' | 'unpriced' | 'budgets'> => {
  const { category, dimensions = {} } = usage;
  const at = parseInstant(usage.occurredAt);
  const path = usagePath(book, usage, NEWEST);
  const budgets = budgetsOnPath(book, path, { category, dimensions }, NEWEST).filter((budget) => budgetAppliesAt(budget, at));
  return {
    cost: usage.cost ?? usage.rated ?? null,
    unpriced: usage.unpriced ?? [],
    budgets: budgets.map(({ budgetId }) => ({ budgetId })),
  };
};
