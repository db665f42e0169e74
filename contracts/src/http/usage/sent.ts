import type { UsageData } from '../../events/usage.js';
import type { ScopeRef } from '../../values/scope.js';

/**
 * A usage event as sent, normalised (decimals, instants, scopes) and without any default: what the content hash covers, so that
 * the same message is the same event whenever and by whatever way it arrives again.
 */
export type SentUsage = Readonly<{
  id: string;
  source: string;
  /** Canonical UTC; absent means the moment it arrives. */
  occurredAt?: string;
  scopes: readonly ScopeRef[];
  meter?: string;
  category?: string;
  description?: string;
  /** Without a currency it is the tenant's. */
  cost?: Readonly<{ amount: string; currency?: string }>;
  /** Never holds `totalTokens` beside its parts: it is derived. */
  quantities?: Readonly<Record<string, string>>;
  dimensions?: Readonly<Record<string, string>>;
  status?: 'succeeded' | 'failed';
  reservationId?: string;
  allocation?: readonly Readonly<{ scope: ScopeRef; percent: string }>[];
  metadata?: Readonly<Record<string, unknown>>;
}>;

/** What an event takes from where and when it arrives. `now` is canonical UTC text. */
export type UsageDefaults = Readonly<{ now: string; currency: string }>;

/** The data of `UsageRecorded`, but for rating: {@link SentUsage} with its defaults. */
export const completeUsage = (sent: SentUsage, { now, currency }: UsageDefaults): UsageData => {
  const { cost, scopes, allocation, ...rest } = sent;
  return {
    ...rest,
    scopes: [...scopes],
    occurredAt: sent.occurredAt ?? now,
    status: sent.status ?? 'succeeded',
    ...(cost && { cost: { amount: cost.amount, currency: cost.currency ?? currency } }),
    ...(allocation && { allocation: [...allocation] }),
  };
};
