import type { UsageRecordedEvent } from '../events/usage.js';
import { parseInstant } from '../values/instant.js';
import type { Money } from '../values/money.js';
import { type Arrivals, settledCharge } from './arrivals.js';
import { isRatingStale } from './charge.js';
import type { TenantDefinitions } from './definitions.js';
import { rateAt } from './rating.js';

/** Where a correction of prices is: positions of its first and of its last event. */
export type CorrectedAt = Readonly<{ first: number; last: number }>;
/** What a usage event was rated at, and what it is by the corrected prices. */
export type Rerating = Readonly<{ previousCost: Money; cost: Money }>;

/**
 * What a correction of prices makes of usage before it: what the lists that rated it say with the corrected prices; null when that is what
 * they said before. A cost that the producer stated stands; so does what the corrected prices leave without one. Usage that waits for a
 * price is not rerated: the correction is an arrival of prices, which charges it. Asks for nothing that was recorded after the correction,
 * so whoever asks again hears the same.
 */
export const reratedBy = (
  usage: UsageRecordedEvent,
  definitions: TenantDefinitions,
  arrivals: Arrivals,
  { first, last }: CorrectedAt,
): Rerating | null => {
  const rated = ratedBy(usage, definitions, arrivals, first - 1);
  if (rated === null) return null;
  const occurredAt = parseInstant(usage.data.occurredAt);
  const before = rateAt(usage.data, definitions, first - 1, occurredAt, rated.settingsAt, rated.listsAt);
  const after = rateAt(usage.data, definitions, last, occurredAt, rated.settingsAt, rated.listsAt);
  if (!('cost' in after) || !('cost' in before) || isSame(before.cost, after.cost)) return null;
  return { previousCost: before.cost, cost: after.cost };
};

/** As of which positions price lists and settings rated the usage; null: none did by `through`. */
const ratedBy = (
  usage: UsageRecordedEvent,
  definitions: TenantDefinitions,
  arrivals: Arrivals,
  through: number,
): Readonly<{ listsAt: number; settingsAt: number }> | null => {
  const { data, position } = usage;
  if (data.cost !== undefined) return null;
  if (data.rated !== undefined && !isRatingStale(data, definitions, position)) {
    const { ratedAt = position } = data;
    return { listsAt: ratedAt, settingsAt: ratedAt };
  }
  const { pricedAt } = settledCharge(usage, definitions, arrivals, through);
  return pricedAt === null ? null : { listsAt: pricedAt, settingsAt: position };
};

const isSame = (a: Money, b: Money): boolean => a.picos === b.picos && a.currency === b.currency;
