import { type EventOf, type LedgerEvent, type PeriodDefinition, parseInstant, rootScope } from '@bursar/contracts';

const UNIT = 1_000_000_000_000n;
const DAY_NS = 86_400_000_000_000n;

export type Total = { spend: bigint; events: number; failed: bigint; waiting: number };
export type Expected = Map<string, Map<string, Total>>;

/**
 * What the balances must be, written down as plainly as possible from the whole history and in bigint: each budget as it stands at the
 * end counts all usage there ever was that matches it and was not voided, whenever it was made.
 */
export const expectedBalances = (events: readonly LedgerEvent[]): Expected => {
  const expected: Expected = new Map();
  const voided = new Set(events.flatMap((event) => (event.type === 'UsageVoided' ? [event.data.eventId] : [])));
  for (const budget of liveBudgets(events)) {
    const totals = new Map<string, Total>();
    for (const event of events) {
      if (event.type === 'UsageRecorded') addUsage(totals, budget.definition, event, events, !voided.has(event.id));
    }
    expected.set(budget.budgetId, totals);
  }
  return expected;
};

type Definition = EventOf<'BudgetCreated'>['data']['definition'];

export const liveBudgets = (events: readonly LedgerEvent[]) => {
  const live = new Map<
    string,
    { budgetId: string; definition: Definition; deleted: boolean; createdAt: bigint; versions: [bigint, Definition][] }
  >();
  for (const event of events) {
    if (event.type === 'BudgetDeleted') {
      const known = live.get(event.data.budgetId);
      if (known !== undefined) known.deleted = true;
    }
    if (event.type !== 'BudgetCreated' && event.type !== 'BudgetChanged') continue;
    const { budgetId, definition } = event.data;
    const known = live.get(budgetId);
    const at = parseInstant(event.recordedAt);
    if (known === undefined && event.type === 'BudgetCreated')
      live.set(budgetId, { budgetId, definition, deleted: false, createdAt: at, versions: [[at, definition]] });
    if (known !== undefined && !known.deleted && event.type === 'BudgetChanged') {
      known.definition = definition;
      known.versions.push([at, definition]);
    }
  }
  return [...live.values()].filter(({ deleted }) => !deleted);
};

const addUsage = (
  totals: Map<string, Total>,
  budget: Definition,
  usage: EventOf<'UsageRecorded'>,
  events: readonly LedgerEvent[],
  stands: boolean,
): void => {
  const { data, position } = usage;
  const own = pathAt(data.scopes, position, events);
  const allocated = (data.allocation ?? []).map(({ scope, percent }) => ({ path: pathAt([scope], position, events), percent }));
  if (![own, ...allocated.map(({ path }) => path)].some((path) => path.has(budget.scope))) return;
  const pattern = budget.filter?.dimensions?.model;
  const model = data.dimensions?.model ?? '';
  if (pattern !== undefined && !(pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : model === pattern)) return;
  const start = periodStart(budget.period, parseInstant(data.occurredAt));
  const total = totals.get(start) ?? { spend: 0n, events: 0, failed: 0n, waiting: 0 };
  totals.set(start, total);
  if (!stands) return; // its period had usage once, and keeps its row
  const priced = costOf(usage, events);
  const whole = priced === null ? null : inCurrency(priced, budget.limit.currency, parseInstant(data.occurredAt), events);
  const amount = whole === null ? null : shareFor(budget.scope, whole, allocated);
  if (amount === null) {
    total.waiting += 1;
    return;
  }
  total.spend += amount;
  total.events += 1;
  if (data.status === 'failed') total.failed += amount;
};

/** What a scope gets of an amount: pico by pico to whoever is furthest behind, then all parts that reach it; no part: the whole. */
const shareFor = (scope: string, whole: bigint, parts: readonly { path: ReadonlySet<string>; percent: string }[]): bigint => {
  const exact = parts.map(({ percent }) => BigInt(percent) * whole); // hundredths
  const given = exact.map((hundredths) => hundredths / 100n);
  while (parts.length > 0 && given.reduce((sum, one) => sum + one, 0n) < whole) {
    const behind = exact.map((hundredths, index) => hundredths - (given[index] ?? 0n) * 100n);
    const most = behind.reduce((best, one, index) => (one > (behind[best] ?? 0n) ? index : best), 0);
    given[most] = (given[most] ?? 0n) + 1n;
  }
  const mine = parts.flatMap(({ path }, index) => (path.has(scope) ? [given[index] ?? 0n] : []));
  return mine.length === 0 ? whole : mine.reduce((sum, one) => sum + one, 0n);
};

const pathAt = (scopes: readonly string[], position: number, events: readonly LedgerEvent[]): Set<string> => {
  const parents = new Map<string, readonly string[]>();
  for (const event of events) {
    if (event.position > position) break;
    if (event.type === 'ScopeRegistered' || event.type === 'ScopeMoved') parents.set(event.data.scope, event.data.parents);
  }
  const path = new Set<string>([rootScope('acme')]);
  const climb = (scope: string): void => {
    path.add(scope);
    for (const parent of parents.get(scope) ?? []) climb(parent);
  };
  scopes.forEach(climb);
  return path;
};

type Cost = { picos: bigint; currency: string; at: number };

/** What somebody stated last, else the cost said, else what the lists that rated it say by now; at the rates of where it first had a cost. */
export const costOf = (usage: EventOf<'UsageRecorded'>, events: readonly LedgerEvent[]): Cost | null => {
  const recorded = recordedCost(usage, events);
  const stated = events.filter(
    (event): event is EventOf<'UsageRerated'> =>
      event.type === 'UsageRerated' && event.data.cause === 'adjustment' && event.data.eventId === usage.id,
  );
  const [first, last] = [stated[0], stated.at(-1)];
  if (first === undefined || last === undefined) return recorded;
  const { amount, currency } = last.data.cost;
  return { picos: BigInt(amount) * UNIT, currency, at: Math.min(recorded?.at ?? first.position, first.position) };
};

const recordedCost = (usage: EventOf<'UsageRecorded'>, events: readonly LedgerEvent[]): Cost | null => {
  const { position, data } = usage;
  const { cost, quantities, dimensions, rated, ratedAt = position } = data;
  if (cost !== undefined) return { picos: BigInt(cost.amount) * UNIT, currency: cost.currency, at: position };
  const tokens = BigInt(quantities?.inputTokens ?? '0');
  if (tokens === 0n) return { picos: 0n, currency: 'USD', at: position };
  const prices = events.flatMap((event) => {
    if (event.type !== 'PriceListCreated' && event.type !== 'PricesCorrected') return [];
    const [price] = event.data.prices;
    const list = event.data.listId;
    return price?.match.model === dimensions?.model ? [{ list, at: event.position, amount: BigInt(price?.amount ?? '0') }] : [];
  });
  // It was on its way while prices were corrected: what it was rated at is not what it costs.
  const overtaken = events.some((event) => event.type === 'PricesCorrected' && event.position > ratedAt && event.position <= position);
  const arrivedAt = rated !== undefined && !overtaken ? ratedAt : position;
  const isPriced = prices.some(({ at }) => at <= arrivedAt);
  const pricedBy = isPriced ? arrivedAt : prices.find(({ at }) => at > position)?.at;
  if (pricedBy === undefined) return null;
  // Of the lists there were then, the newest that prices it by now, at what it says by now.
  const lists = events.flatMap((event) => (event.type === 'PriceListCreated' && event.position <= pricedBy ? [event.data.listId] : []));
  const list = lists.findLast((id) => prices.some((price) => price.list === id));
  const amount = prices.findLast((price) => price.list === list)?.amount ?? 0n;
  return { picos: tokens * amount * UNIT, currency: 'USD', at: Math.max(pricedBy, position) };
};

/** By the rates known where it had a price, else by those known at the first later one that covers it. */
const inCurrency = (
  { picos, currency, at }: { picos: bigint; currency: string; at: number },
  to: string,
  occurredAt: bigint,
  events: readonly LedgerEvent[],
): bigint | null => {
  if (currency === to || picos === 0n) return picos;
  const rates = events.filter((event): event is EventOf<'ExchangeRateSet'> => event.type === 'ExchangeRateSet');
  for (const position of [at, ...rates.map((rate) => rate.position).filter((position) => position > at)]) {
    const known = rates.filter((rate) => rate.position <= position && parseInstant(rate.data.effectiveFrom) <= occurredAt);
    const best = (from: string): EventOf<'ExchangeRateSet'> | undefined =>
      known
        .filter(({ data }) => data.from === from)
        .sort((a, b) => Number(parseInstant(b.data.effectiveFrom) - parseInstant(a.data.effectiveFrom)) || b.position - a.position)[0];
    const direct = best(currency);
    if (direct !== undefined) return picos * BigInt(direct.data.rate);
    const inverse = best(to);
    if (inverse !== undefined) return halfEven(picos, BigInt(inverse.data.rate));
  }
  return null;
};

const halfEven = (numerator: bigint, denominator: bigint): bigint => {
  const [quotient, twice] = [numerator / denominator, (numerator % denominator) * 2n];
  return twice > denominator || (twice === denominator && quotient % 2n === 1n) ? quotient + 1n : quotient;
};

/** The stories use days and months of UTC only. */
export const periodStart = ({ kind }: PeriodDefinition, at: bigint): string => {
  const day = new Date(Number((at - (at % DAY_NS)) / 1_000_000n)).toISOString().slice(0, 10);
  return `${kind === 'daily' ? day : `${day.slice(0, 7)}-01`}T00:00:00Z`;
};
