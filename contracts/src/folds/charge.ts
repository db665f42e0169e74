import type { UsageData, UsageRecordedEvent, UsageReratedEvent, UsageVoidedEvent } from '../events/usage.js';
import { type EpochNs, parseInstant } from '../values/instant.js';
import { fromWireMoney, type Money } from '../values/money.js';
import type { ScopeRef } from '../values/scope.js';
import { type Split, splitOf } from './allocation.js';
import { type BudgetState, budgetAppliesAt, filterMatches } from './budget-book.js';
import { chargedPath, type TenantDefinitions } from './definitions.js';
import type { HoldFacts } from './hold-facts.js';
import { rateAt } from './rating.js';

/** What one usage event means: to whom, when, how much. Every fold that counts money goes through this. */
export type Charge = Readonly<{
  /** Charged once each, the root last. */
  path: readonly ScopeRef[];
  /** When its hold was granted, where it settles one; else when it happened. */
  effectiveAt: EpochNs;
  /** Of the reservation that it names. */
  hold?: HoldFacts;
  /** null while a price is missing: the event waits, and is never taken for zero. */
  cost: Money | null;
  /** How the cost is split over the path; absent: all of it for each. What a budget gets of it is `shareOf`. */
  split?: Split;
  /** Units without a price, when `cost` is null. */
  unpriced: readonly string[];
  failed: boolean;
  category?: string;
  meter?: string;
  dimensions: Readonly<Record<string, string>>;
  /** Charged by earlier events of the same usage: whoever counts those does not count this one too. */
  beyond?: ReadonlySet<ScopeRef>;
}>;

const NONE: readonly string[] = [];
const NO_DIMENSIONS: Readonly<Record<string, string>> = {};

/**
 * Path by the tree at the event's own position. A cost in the event stands; then what ingestion rated, unless prices were corrected
 * between its rating and its position (it was on its way meanwhile); else the price lists known at `pricesAt`, later than `position` only
 * for usage that waited for its price; a unit without one gets the fallback price at `position`.
 * With the hold that it names, whatever became of that: charged as the hold was, and whole to each scope of its path.
 */
export const charge = (
  usage: UsageRecordedEvent,
  definitions: TenantDefinitions,
  position: number = usage.position,
  pricesAt: number = position,
): Charge => {
  const { data } = usage;
  const occurredAt = parseInstant(data.occurredAt);
  const hold = data.reservationId === undefined ? null : definitions.holds.of(data.reservationId, position);
  const said = data.cost ?? (isRatingStale(data, definitions, position) ? undefined : data.rated);
  const beyond = chargedBefore(definitions, data);
  const path = hold?.path ?? usagePath(definitions, data, position);
  const split = hold === null ? splitOf(data, path, (scope) => chargedPath(definitions, [scope], position)) : undefined;
  const rating = said === undefined ? rateAt(data, definitions, pricesAt, occurredAt, position) : { cost: fromWireMoney(said) };
  return {
    path,
    effectiveAt: hold?.grantedAt ?? occurredAt,
    ...(hold !== null && { hold }),
    cost: 'cost' in rating ? rating.cost : null,
    ...(split !== undefined && { split }),
    unpriced: 'cost' in rating ? NONE : rating.unpriced,
    failed: data.status === 'failed',
    category: data.category ?? hold?.category,
    meter: data.meter,
    dimensions: hold?.dimensions === undefined ? (data.dimensions ?? NO_DIMENSIONS) : { ...hold.dimensions, ...data.dimensions },
    ...(beyond !== undefined && { beyond }),
  };
};

/** Was usage rated by prices that were corrected before it got to its position? */
export const isRatingStale = ({ ratedAt }: Pick<UsageData, 'ratedAt'>, { prices }: TenantDefinitions, position: number): boolean =>
  ratedAt !== undefined && prices.correctedBetween(ratedAt, position);

/** Whom earlier events of the same usage charge, each by the tree it arrived in; undefined: there are none. */
const chargedBefore = (definitions: TenantDefinitions, { beyond }: Pick<UsageData, 'beyond'>): ReadonlySet<ScopeRef> | undefined =>
  beyond === undefined ? undefined : new Set(beyond.flatMap(({ scopes, position }) => chargedPath(definitions, scopes, position)));

/** Whom usage charges: its scopes, those of its allocation, and all above them, each once, the root last; but for {@link chargedBefore}. */
export const usagePath = (
  definitions: TenantDefinitions,
  { scopes, allocation, beyond }: Pick<UsageData, 'scopes' | 'allocation' | 'beyond'>,
  position: number,
): readonly ScopeRef[] => {
  const path = chargedPath(definitions, allocation === undefined ? scopes : [...scopes, ...allocation.map(({ scope }) => scope)], position);
  const before = chargedBefore(definitions, { beyond });
  return before === undefined ? path : path.filter((scope) => !before.has(scope));
};

/** The usage that a void or a rerating is about, as it was when it was recorded: what {@link charge} is asked about. */
export const originalOf = ({
  partition,
  stream,
  meta,
  data: { eventId, original },
}: UsageVoidedEvent | UsageReratedEvent): UsageRecordedEvent => ({
  partition,
  stream,
  id: eventId,
  type: 'UsageRecorded',
  meta: { tenant: meta.tenant },
  ...original,
});

/** Does this one budget count the charge? What a backfill asks; a live fold asks `budgetsOnPath` and gets the same answer. */
export const budgetCounts = (
  budget: Pick<BudgetState, 'scopes' | 'definition' | 'validFrom' | 'validUntil'>,
  charged: Pick<Charge, 'path' | 'effectiveAt' | 'category' | 'dimensions' | 'beyond'>,
): boolean =>
  budget.scopes.some((scope) => charged.path.includes(scope)) &&
  filterMatches(budget, charged) &&
  budgetAppliesAt(budget, charged.effectiveAt);
