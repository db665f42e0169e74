import { type EpochNs, formatInstant, type Money, type ScopeRef } from '@bursar/contracts';
import { type Rateable, rate } from '@bursar/contracts/folds';
import type { Question } from '../check/standing.js';
import type { TenantFold } from '../tenant-fold.js';

/** One request to hold something. */
export type Ask = Readonly<{
  reservationId: string;
  /** The caller made the id and may have used it before; else we made it for this request alone. */
  isCallers: boolean;
  /** SHA-256, hex, of what is asked for, the id aside. */
  bodyHash: string;
  scopes: readonly ScopeRef[];
  /** An amount, or quantities that the price lists rate. */
  what:
    | Readonly<{ amount: bigint; currency: string | null }>
    | Readonly<{ quantities: Pick<Rateable, 'meter' | 'quantities'>; currency: string | null }>;
  category?: string;
  dimensions?: Readonly<Record<string, string>>;
  ttlNs: bigint;
}>;

/** An ask as a question to the budgets. `unpriced`: these units have no price, so the amount is 0 and says nothing. */
export type Asked = Question & Readonly<{ unpriced?: readonly string[] }>;

/** What an ask comes to at this moment. */
export const questionOf = (tenant: TenantFold, ask: Ask, now: EpochNs, position: number): Asked => {
  const { scopes, what, category, dimensions } = ask;
  const about = { scopes };
  const more = { ...(category !== undefined && { category }), ...(dimensions !== undefined && { dimensions }) };
  if ('amount' in what) return { about, amount: what.amount, currency: what.currency, ...more };
  const rating = rate({ ...what.quantities, dimensions, occurredAt: formatInstant(now) }, tenant.history.definitions, position);
  if ('unpriced' in rating) return { about, amount: 0n, currency: what.currency, unpriced: rating.unpriced, ...more };
  const { picos, currency }: Money = rating.cost;
  return { about, amount: picos, currency, ...more };
};
