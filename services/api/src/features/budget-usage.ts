import { formatInstant, formatPicos, parseInstant, toWireMoney } from '@bursar/contracts';
import { type BudgetState, budgetCounts, correctionOf, findBudget, isUnreserved, originalOf, settledCharge } from '@bursar/contracts/folds';
import type { UsageListQuery } from '@bursar/contracts/http';
import { type Database, usageCorrections } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import type { z } from 'zod';
import { Holds } from '../adapters/sql/holds.js';
import { positionText } from '../adapters/sql/snapshot.js';
import { type Past, Pasts } from '../adapters/store/past.js';
import { UsageWalk, usageOf, type WalkedEvent } from '../adapters/store/usage-walk.js';
import { showRefusal, wasAskedOf } from '../domain/refused-usage.js';
import { type Entry, entryOf } from '../domain/usage-entries.js';
import { type Answer, ok } from './answer.js';
import { Cursors } from './cursors.js';

type Query = z.output<typeof UsageListQuery>;

/** Events looked at for one page: rare usage in a busy tenant gives short pages rather than slow ones. */
const MAX_SCANNED = 20_000;

/**
 * The history of what a budget counted, newest first, straight from the ledger: what was answered `accepted` is there at once. Usage as it
 * was recorded, and every void and rerating as a line of its own; the amounts of all lines add up to the balance (PRODUCT A8, A9).
 */
@Injectable()
export class BudgetUsage {
  constructor(
    private readonly holds: Holds,
    private readonly pasts: Pasts,
    private readonly walk: UsageWalk,
    private readonly db: Kysely<Database>,
    private readonly cursors: Cursors,
  ) {}

  async page(tenant: string, budgetId: string, query: Query): Promise<Answer> {
    const { limit, cursor, minPosition: _, ...filter } = query;
    const list = ['budget-usage', budgetId, filter];
    const place = cursor === undefined ? null : this.cursors.read(tenant, list, cursor);
    const past = await this.pasts.load(tenant, [budgetId]);
    const budget = findBudget(past.definitions, budgetId);
    if (budget === null || budget.deletedPosition !== null) throw new Problem('not_found', 'There is no such budget.');

    const found: WalkedEvent[] = [];
    const answer = async (nextCursor: string | null): Promise<Answer> =>
      ok({ data: await this.#show(tenant, found, budget, past), nextCursor });
    let last = place === null ? (await this.walk.last(tenant)) + 1 : Number(place[0]);
    let scanned = 0;
    const since = query.from === undefined ? undefined : parseInstant(query.from);
    for await (const event of this.walk.backwards(tenant, { from: last - 1, since, holds: past.definitions.holds })) {
      const isAsked = passes(event, query) && concerns(event, budget, past);
      // The next page begins after the last item, and only exists when there is another item or more to look at.
      if (scanned === MAX_SCANNED || (isAsked && found.length === limit)) {
        return answer(this.cursors.write(tenant, list, [last]));
      }
      if (isAsked) found.push(event);
      scanned += 1;
      last = event.revision;
    }
    return answer(null);
  }

  /** What was said of usage may lie anywhere after it: it is looked up, but for what this page has met and the projection not yet. */
  async #show(tenant: string, found: readonly WalkedEvent[], budget: BudgetState, past: Past): Promise<readonly object[]> {
    const said = new Map(await usageCorrections(this.db, tenant, found.flatMap(usagePosition)));
    for (const event of found) {
      if (event.type !== 'UsageVoided' && event.type !== 'UsageRerated') continue;
      const { position } = event.data.original;
      said.set(position, [...(said.get(position) ?? []), correctionOf(event)]);
    }
    const grants = await this.holds.named(tenant, found.flatMap(usageOf));
    const flags = await this.holds.flags(
      tenant,
      found.flatMap((event) => (event.type === 'UsageRecorded' ? [event.position] : [])),
    );
    return found.flatMap((event) => {
      if (event.type === 'UsageRefused') return [showRefusal(event, budget)];
      for (const usage of usageOf(event)) grants.tell(past.definitions.holds, usage);
      const [position = 0] = usagePosition(event);
      const entry = entryOf(event, said.get(position) ?? [], budget, past);
      if (entry === null) return [];
      const flagged = wasUnreserved(entry, budget, past) ? UNRESERVED : flags.get(event.position);
      const overrideIds = event.type === 'UsageRecorded' ? grants.overridesOf(event) : [];
      return [{ ...show(entry, budget), ...(flagged !== undefined && { flags: flagged }), ...(overrideIds.length > 0 && { overrideIds }) }];
    });
  }
}

/** Where the usage is that a line is about. */
const usagePosition = (event: WalkedEvent): readonly number[] => {
  if (event.type === 'UsageRefused') return [];
  return [event.type === 'UsageRecorded' ? event.position : event.data.original.position];
};

/** The budget counts the usage, or what was refused was asked of it. */
const concerns = (event: WalkedEvent, budget: BudgetState, { definitions, arrivals }: Past): boolean => {
  if (event.type === 'UsageRefused') return wasAskedOf(budget, event, definitions);
  const usage = event.type === 'UsageRecorded' ? event : originalOf(event);
  return budgetCounts(budget, settledCharge(usage, definitions, arrivals).charged);
};

/** Nothing is stored of it: as the budget was where the usage was recorded, and when. */
const wasUnreserved = ({ usage, settled, correction }: Entry, { budgetId }: BudgetState, { definitions }: Past): boolean => {
  const then = correction === undefined ? findBudget(definitions, budgetId, usage.position) : null;
  return then !== null && isUnreserved(usage.data, settled.charged, then, parseInstant(usage.recordedAt));
};
const UNRESERVED = ['unreserved'] as const;

/** What is said of usage is listed where the usage is. */
const passes = (event: WalkedEvent, query: Query): boolean => {
  const data = event.type === 'UsageVoided' || event.type === 'UsageRerated' ? event.data.original.data : event.data;
  const at = parseInstant('refusedAt' in data ? data.refusedAt : data.occurredAt);
  const status = 'status' in data ? data.status : 'refused';
  if (query.from !== undefined && at < parseInstant(query.from)) return false;
  if (query.to !== undefined && at >= parseInstant(query.to)) return false;
  if (query.status !== undefined && status !== query.status) return false;
  if (query.category !== undefined && data.category !== query.category) return false;
  return DIMENSIONS.every((name) => query[name] === undefined || data.dimensions?.[name] === query[name]);
};
const DIMENSIONS = ['provider', 'model', 'agent', 'campaign'] as const;

/**
 * `cost` as it was charged by this line, `amount` what the line adds in the budget's currency: a void or a rerating the difference. null:
 * no price, or no exchange rate, yet. `currentAmount`: what the usage comes to by now.
 */
const show = ({ usage, settled, picos, isVoided, isRerated, now, correction }: Entry, budget: BudgetState): object => {
  const { rated: _, ratedAt: __, unpriced: ___, cost: ____, ...data } = usage.data;
  const { cost, unpriced } = settled.charged;
  const { id, type, recordedAt, partition, position } = correction?.event ?? usage;
  return {
    kind: KINDS[type],
    eventId: id,
    ...(correction !== undefined && { usageEventId: usage.id, ...said(correction) }),
    ...data,
    cost: type === 'UsageVoided' || cost === null ? null : toWireMoney(cost),
    amount: picos === null ? null : formatPicos(picos),
    currency: budget.currency,
    ...(cost === null && { unpriced }),
    voided: isVoided,
    rerated: isRerated,
    ...((isVoided || isRerated) && { currentAmount: now === null ? null : formatPicos(now) }),
    recordedAt: formatInstant(parseInstant(recordedAt)),
    position: positionText(partition, position),
  };
};
const KINDS = { UsageRecorded: 'usage', UsageVoided: 'void', UsageRerated: 'rerate' } as const;

const said = ({ event, was }: NonNullable<Entry['correction']>): object => {
  const previousCost = was.charged.cost === null ? null : toWireMoney(was.charged.cost);
  const { reason = null } = event.data;
  if (event.type === 'UsageVoided') return { previousCost, reason };
  const { cause, correctionId } = event.data;
  return { previousCost, reason, cause, correctionId };
};
