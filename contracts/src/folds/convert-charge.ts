import type { UsageRecordedEvent } from '../events/usage.js';
import { type EpochNs, parseInstant } from '../values/instant.js';
import type { Money } from '../values/money.js';
import { convert } from './convert.js';
import type { TenantDefinitions } from './definitions.js';
import type { HoldFacts } from './hold-facts.js';

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
