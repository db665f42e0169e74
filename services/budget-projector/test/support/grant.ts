import type { HoldGranted } from '@bursar/contracts';

/** What was granted under `r`: one unit of acme's one budget, in March. */
export const GRANT: HoldGranted = {
  change: 'granted',
  reservationId: 'r',
  tenant: 'acme',
  bodyHash: 'h',
  path: ['user:a'],
  amount: '1',
  currency: 'USD',
  grantedAt: '2026-03-01T00:00:00Z',
  expiresAt: '2026-03-01T00:05:00Z',
  decidedAt: 1,
  budgets: [{ budgetId: 'one', periodStart: '2026-03-01T00:00:00Z', amount: '1' }],
  tightest: null,
};
