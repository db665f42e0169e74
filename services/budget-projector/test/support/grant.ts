import type { HoldTerms } from '@bursar/contracts';
import { type Grant, readGrants } from '../../src/domain/holds/hold.js';

/** Of one unit of acme's one budget, in March. */
export const TERMS: HoldTerms = {
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

/** What was granted under `r`. */
export const grant = (): Grant => {
  const [one] = readGrants({ change: 'granted', tenant: 'acme', terms: TERMS, reservations: [{ id: 'r' }] });
  if (one === undefined) throw new Error('there is one');
  return one;
};
