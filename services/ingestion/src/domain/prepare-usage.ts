import { type EpochNs, parseInstant, toWireMoney, type UsageData, UsageRecorded, usageEventId } from '@bursar/contracts';
import { rate, type TenantDefinitions } from '@bursar/contracts/folds';
import { completeUsage, makeProblem, type Problem, type SentUsage, type UsageItem, usageContentHash } from '@bursar/contracts/http';
import type { AgeWindow } from './age-window.js';

/** Where and when a request's events arrive; the same for all of them. */
export type Arrival = Readonly<{
  tenant: string;
  /** By the database's clock. */
  now: EpochNs;
  /** The same as canonical text. */
  nowText: string;
  window: AgeWindow;
  /** The tenant's price lists as of now; null when no event of the request needs one. */
  definitions: TenantDefinitions | null;
}>;

/** An event but for its meta. `data` is the JSON text that will be stored. */
export type PreparedEvent = Readonly<{ id: string; type: string; version: number; data: string; contentHash: Uint8Array }>;
export type PreparedUsage = Readonly<{ item: UsageItem } & ({ event: PreparedEvent } | { problem: Problem })>;

/** The currency of a cost that names none. No tenant can set another one yet. */
const TENANT_CURRENCY = 'USD';

/** Judges the event's time and makes of it what will be stored: with defaults, rated, hashed as sent. */
export const prepareUsage = (item: UsageItem, arrival: Arrival): PreparedUsage => {
  if (!('sent' in item)) return { item, problem: item.problem };
  const { sent } = item;
  const refusal = judgeTime(sent, arrival);
  if (refusal !== null) return { item, problem: refusal };
  const usage = completeUsage(sent, { now: arrival.nowText, currency: TENANT_CURRENCY });
  const event = {
    id: usageEventId(arrival.tenant, sent.source, sent.id),
    type: UsageRecorded.type,
    version: UsageRecorded.version,
    data: JSON.stringify(rateUsage(usage, arrival.definitions)),
    contentHash: usageContentHash(sent),
  };
  return { item, event };
};

/** Does pricing it take the tenant's lists? A cost that was sent stands. */
export const needsPrices = (item: UsageItem): boolean => 'sent' in item && item.sent.cost === undefined;

/** The event with what the price lists make of its quantities, or with the units that have no price. */
export const rateUsage = (usage: UsageData, definitions: TenantDefinitions | null): UsageData => {
  if (usage.cost !== undefined || definitions === null) return usage;
  const rating = rate(usage, definitions, Number.POSITIVE_INFINITY);
  return 'cost' in rating ? { ...usage, rated: toWireMoney(rating.cost) } : { ...usage, unpriced: [...rating.unpriced] };
};

const judgeTime = ({ occurredAt }: SentUsage, { window, now }: Arrival): Problem | null => {
  const code = occurredAt === undefined ? null : window.judge(parseInstant(occurredAt), now);
  if (code === null) return null;
  const message = code === 'future' ? 'Too far in the future' : 'Older than the age window';
  return makeProblem(code, `/occurredAt: ${message}`, { errors: [{ pointer: '/occurredAt', message, code }] });
};
