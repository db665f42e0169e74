import type { HoldTerms } from '@bursar/contracts';
import { type Grant, readGrants } from '../../src/domain/holds/hold.js';
import { Lot } from '../../src/domain/holds/lot.js';

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
  const [one] = readGrants({ change: 'granted', tenant: 'acme', terms: TERMS, reservationIds: ['r'] });
  if (one === undefined) throw new Error('there is one');
  return one;
};

/** What one event grants, all of it on the same terms. @param held how many of them are new */
export const lotOf = (since: number, ids: readonly string[], { tenant = 'acme', held = ids.length } = {}): Lot => {
  const [first] = readGrants({ change: 'granted', tenant, terms: TERMS, reservationIds: [...ids] });
  if (first === undefined) throw new Error('there is one');
  const lot = new Lot(tenant, first.terms, since);
  lot.size = held;
  return lot;
};
