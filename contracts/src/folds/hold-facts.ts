import type { HoldGranted } from '../events/holds.js';
import type { UsageRecordedEvent } from '../events/usage.js';
import { type EpochNs, parseInstant } from '../values/instant.js';
import type { Money } from '../values/money.js';
import type { ScopeRef } from '../values/scope.js';
import { convert } from './convert.js';
import type { TenantDefinitions } from './definitions.js';

/**
 * What of a hold its settlement is charged by, as the grant said it (ARCHITECTURE, Settlement): on its path, at its rate, in its period.
 * Never changes once granted, so whoever charges the usage again needs nothing else of the hold.
 */
export type HoldFacts = Readonly<{
  path: readonly ScopeRef[];
  grantedAt: EpochNs;
  /** Exchange rates known at this position are the hold's. */
  decidedAt: number;
  /** What the usage does not say itself, it has of its hold. */
  category?: string;
  dimensions?: Readonly<Record<string, string>>;
}>;

/** The shape of a grant that the facts are in, as events and tables keep it. */
export type WireHoldFacts = Pick<HoldGranted, 'path' | 'grantedAt' | 'decidedAt' | 'category' | 'dimensions'>;

export const holdFacts = ({ path, grantedAt, decidedAt, category, dimensions }: WireHoldFacts): HoldFacts => ({
  path,
  grantedAt: parseInstant(grantedAt),
  decidedAt,
  ...(category !== undefined && { category }),
  ...(dimensions !== undefined && { dimensions }),
});

/**
 * A charge's money in another currency, by what is known at `position`: usage at the rate of the moment it happened; a settlement at
 * its hold's, and only where that had none at the rate of the hold's moment known by now.
 */
export const convertCharge = (
  definitions: TenantDefinitions,
  money: Money,
  to: string,
  { hold }: Readonly<{ hold?: HoldFacts }>,
  { data: { occurredAt } }: Pick<UsageRecordedEvent, 'data'>,
  position: number,
): bigint | 'rate_missing' => {
  if (hold === undefined) return convert(definitions, money, to, parseInstant(occurredAt), position);
  const picos = convert(definitions, money, to, hold.grantedAt, hold.decidedAt);
  return picos === 'rate_missing' ? convert(definitions, money, to, hold.grantedAt, position) : picos;
};

/** The moment whose exchange rate converts a charge that waits for one. */
export const conversionInstant = ({ hold }: Readonly<{ hold?: HoldFacts }>, { data }: Pick<UsageRecordedEvent, 'data'>): EpochNs =>
  hold?.grantedAt ?? parseInstant(data.occurredAt);
