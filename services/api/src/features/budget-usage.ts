import {
  type EventOf,
  formatInstant,
  formatPicos,
  parseInstant,
  partitionOf,
  toWireMoney,
  type UsageRecordedEvent,
  voidEventId,
} from '@bursar/contracts';
import { type BudgetState, budgetCounts, findBudget, type Settled, settledCharge, settledCost } from '@bursar/contracts/folds';
import type { UsageListQuery } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { positionText } from '../adapters/sql/snapshot.js';
import { type Past, Pasts } from '../adapters/store/past.js';
import { UsageWalk } from '../adapters/store/usage-walk.js';
import { showRefusal, wasAskedOf } from '../domain/refused-usage.js';
import { type Answer, ok } from './answer.js';
import { Cursors } from './cursors.js';

type Found = Readonly<{ usage: UsageRecordedEvent; settled: Settled } | { refused: EventOf<'UsageRefused'> }>;
type Query = z.output<typeof UsageListQuery>;

/** Events looked at for one page: rare usage in a busy tenant gives short pages rather than slow ones. */
const MAX_SCANNED = 20_000;

/** The usage a budget counted, and what was refused, newest first, straight from the ledger: what was answered `accepted` is there at once. */
@Injectable()
export class BudgetUsage {
  constructor(
    private readonly pasts: Pasts,
    private readonly store: EventStore,
    private readonly walk: UsageWalk,
    private readonly cursors: Cursors,
  ) {}

  async page(tenant: string, budgetId: string, query: Query): Promise<Answer> {
    const { limit, cursor, minPosition: _, ...filter } = query;
    const list = ['budget-usage', budgetId, filter];
    const place = cursor === undefined ? null : this.cursors.read(tenant, list, cursor);
    const past = await this.pasts.load(tenant, [budgetId]);
    const budget = findBudget(past.definitions, budgetId);
    if (budget === null || budget.deletedPosition !== null) throw new Problem('not_found', 'There is no such budget.');

    const found: Found[] = [];
    const answer = async (nextCursor: string | null): Promise<Answer> =>
      ok({ data: await this.#show(tenant, found, budget, past), nextCursor });
    let last = place === null ? (await this.walk.last(tenant)) + 1 : Number(place[0]);
    let scanned = 0;
    const since = query.from === undefined ? undefined : parseInstant(query.from);
    for await (const event of this.walk.backwards(tenant, { from: last - 1, since })) {
      if (event.type === 'UsageVoided') continue;
      const asked = passes(event, query) ? foundIn(event, budget, past) : null;
      // The next page begins after the last item, and only exists when there is another item or more to look at.
      if (scanned === MAX_SCANNED || (asked !== null && found.length === limit)) {
        return answer(this.cursors.write(tenant, list, [last]));
      }
      if (asked !== null) found.push(asked);
      scanned += 1;
      last = event.revision;
    }
    return answer(null);
  }

  /** Whether something was voided lies anywhere after it, so it is looked up rather than met on the way. */
  async #show(tenant: string, found: readonly Found[], budget: BudgetState, past: Past): Promise<readonly object[]> {
    const ids = found.map((one) => ('usage' in one ? voidEventId(tenant, one.usage.id) : ''));
    const voids = await this.store.lookup(
      partitionOf(tenant, this.store.partitions),
      ids.filter((id) => id !== ''),
    );
    return found.map((one, index) => {
      if ('refused' in one) return showRefusal(one.refused, budget);
      return { ...show(one.usage, one.settled, budget, past), voided: voids.has(ids[index] ?? '') };
    });
  }
}

type Listed = EventOf<'UsageRecorded' | 'UsageRefused'>;

/** What the budget counted, or what was refused before it could. */
const foundIn = (event: Listed, budget: BudgetState, { definitions, arrivals }: Past): Found | null => {
  if (event.type === 'UsageRefused') return wasAskedOf(budget, event, definitions) ? { refused: event } : null;
  const settled = settledCharge(event, definitions, arrivals);
  return budgetCounts(budget, settled.charged) ? { usage: event, settled } : null;
};

const passes = ({ type, data }: Listed, query: Query): boolean => {
  const at = parseInstant(type === 'UsageRefused' ? data.refusedAt : data.occurredAt);
  const status = type === 'UsageRefused' ? 'refused' : data.status;
  if (query.from !== undefined && at < parseInstant(query.from)) return false;
  if (query.to !== undefined && at >= parseInstant(query.to)) return false;
  if (query.status !== undefined && status !== query.status) return false;
  if (query.category !== undefined && data.category !== query.category) return false;
  return DIMENSIONS.every((name) => query[name] === undefined || data.dimensions?.[name] === query[name]);
};
const DIMENSIONS = ['provider', 'model', 'agent', 'campaign'] as const;

/** `cost` as it was charged, `amount` of it in the budget's currency; null: no price, or no exchange rate, yet. What was voided stays in the list, and counts nothing. */
const show = (usage: UsageRecordedEvent, settled: Settled, budget: BudgetState, { definitions, arrivals }: Past): object => {
  const { rated: _, unpriced: __, cost: ___, ...data } = usage.data;
  const { cost, unpriced } = settled.charged;
  const counted = settledCost(settled, usage, budget, definitions, arrivals);
  return {
    eventId: usage.id,
    ...data,
    cost: cost === null ? null : toWireMoney(cost),
    amount: counted === null ? null : formatPicos(counted.picos),
    currency: budget.currency,
    ...(cost === null && { unpriced }),
    recordedAt: formatInstant(parseInstant(usage.recordedAt)),
    position: positionText(usage.partition, usage.position),
  };
};
