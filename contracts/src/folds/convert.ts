import type { EpochNs } from '../values/instant.js';
import type { Money } from '../values/money.js';
import type { TenantDefinitions } from './definitions.js';

/**
 * The amount in another currency, in picos: converted once, half-even, at the latest rate effective at `occurredAt` among those
 * known at `position` (the pair's own, else the opposite pair's inverse). `rate_missing`: it waits for the first rate that covers it.
 */
export const convert = (
  definitions: TenantDefinitions,
  amount: Money,
  to: string,
  occurredAt: EpochNs,
  position: number,
): bigint | 'rate_missing' => definitions.rates.convert(amount, to, occurredAt, position);
