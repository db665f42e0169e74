import {
  type EpochNs,
  elapsedSeconds,
  parseInstant,
  readDuration,
  type TenantSettings,
  toWireMoney,
  type UsageData,
  UsageRecorded,
  usageEventId,
} from '@bursar/contracts';
import { FALLBACK_LIST, rate, type TenantDefinitions, tenantSettings } from '@bursar/contracts/folds';
import { completeUsage, makeProblem, type Problem, type SentUsage, type UsageItem, usageContentHash } from '@bursar/contracts/http';
import type { AgeWindow } from './age-window.js';

/** Where and when a request's events arrive; the same for all of them. */
export type Arrival = Readonly<{
  tenant: string;
  /** By the database's clock. */
  now: EpochNs;
  /** The same as canonical text. */
  nowText: string;
  /** Of the installation and the tenant together. */
  window: AgeWindow;
  /** The tenant's price lists and settings as of now. */
  definitions: TenantDefinitions;
}>;

/** An event but for its meta. `data` is the JSON text that will be stored. */
export type PreparedEvent = Readonly<{ id: string; type: string; version: number; data: string; contentHash: Uint8Array }>;
export type PreparedUsage = Readonly<{ item: UsageItem } & ({ event: PreparedEvent } | { problem: Problem })>;

/** Judges the event's time and makes of it what will be stored: with defaults, rated, hashed as sent. */
export const prepareUsage = (item: UsageItem, arrival: Arrival): PreparedUsage => {
  if (!('sent' in item)) return { item, problem: item.problem };
  const { sent } = item;
  const refusal = judgeTime(sent, arrival);
  if (refusal !== null) return { item, problem: refusal };
  const settings = tenantSettings(arrival.definitions);
  const completed = completeUsage(sent, { now: arrival.nowText, currency: settings.currency });
  const usage = rateUsage(allocated(completed, settings), arrival.definitions);
  if (settings.unpricedPolicy === 'deny' && usage.cost === undefined && usage.rated === undefined) {
    return { item, problem: unpriced(usage.unpriced ?? []) };
  }
  const event = {
    id: usageEventId(arrival.tenant, sent.source, sent.id),
    type: UsageRecorded.type,
    version: UsageRecorded.version,
    data: JSON.stringify(usage),
    contentHash: usageContentHash(sent),
  };
  return { item, event };
};

/** How late usage of the tenant may be; null: it has not said. */
export const lateSeconds = ({ lateWindow }: TenantSettings): number | null => {
  const parts = lateWindow === null ? null : readDuration(lateWindow);
  return parts === null ? null : elapsedSeconds(parts);
};

/**
 * The event with what the price lists make of its quantities, or with the units that have no price. A fallback price leaves both: what it
 * costs, and which units no list priced.
 */
export const rateUsage = (usage: UsageData, definitions: TenantDefinitions): UsageData => {
  if (usage.cost !== undefined) return usage;
  const rating = rate(usage, definitions, Number.POSITIVE_INFINITY);
  if (!('cost' in rating)) return { ...usage, unpriced: [...rating.unpriced] };
  const missing = rating.prices.flatMap(({ listId, unit }) => (listId === FALLBACK_LIST ? [unit] : []));
  return { ...usage, rated: toWireMoney(rating.cost), ratedAt: definitions.pricedBy, ...(missing.length > 0 && { unpriced: missing }) };
};

/** By the tenant's rule, for what says nothing itself. A settlement is charged as its hold was, which knew no rule. */
const allocated = (usage: UsageData, { allocation }: TenantSettings): UsageData =>
  allocation.length === 0 || usage.allocation !== undefined || usage.reservationId !== undefined ? usage : { ...usage, allocation };

const unpriced = (units: readonly string[]): Problem => {
  const message = `No price covers ${units.length === 0 ? 'these quantities' : units.join(', ')}`;
  return makeProblem('unpriced', `/quantities: ${message}`, { errors: [{ pointer: '/quantities', message, code: 'unpriced' }] });
};

const judgeTime = ({ occurredAt }: SentUsage, { window, now }: Arrival): Problem | null => {
  const code = occurredAt === undefined ? null : window.judge(parseInstant(occurredAt), now);
  if (code === null) return null;
  const message = code === 'future' ? 'Too far in the future' : 'Older than the age window';
  return makeProblem(code, `/occurredAt: ${message}`, { errors: [{ pointer: '/occurredAt', message, code }] });
};
