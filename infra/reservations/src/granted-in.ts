import {
  type EventOf,
  type HoldReservation,
  type HoldsGranted,
  type HoldTerms,
  holdReservations,
  parseInstant,
  parsePicos,
  upcast,
} from '@bursar/contracts';
import { holdFacts } from '@bursar/contracts/folds';
import type { StoredEvent } from '@bursar/event-store';

/** What one reservation was granted. */
export type Granted = Readonly<{ terms: HoldTerms; reservation: HoldReservation }>;

/** By the reservation's id. */
export type Grants = ReadonlyMap<string, Granted>;

/**
 * What an event of the ledger grants, by tenant, each id once: as the fold takes it. What the fold set aside, because it cannot be read, grants nothing.
 */
export const grantedIn = ({ type, version, data }: StoredEvent): ReadonlyMap<string, Grants> => {
  const found = new Map<string, Map<string, Granted>>();
  if (type !== 'HoldsChanged') return found;
  const { changes } = upcast(type, version, JSON.parse(data)) as EventOf<'HoldsChanged'>['data'];
  for (const change of changes) {
    if (change.change !== 'granted' || !isReadable(change)) continue;
    const ofTenant = found.get(change.tenant) ?? new Map<string, Granted>();
    found.set(change.tenant, ofTenant);
    for (const reservation of holdReservations(change)) {
      if (!ofTenant.has(reservation.id)) ofTenant.set(reservation.id, { terms: change.terms, reservation });
    }
  }
  return found;
};

const isReadable = ({ terms, remaining, graceRemaining }: HoldsGranted): boolean => {
  try {
    holdFacts(terms);
    parseInstant(terms.expiresAt);
    for (const amount of [terms.amount, ...terms.budgets.map((share) => share.amount), remaining, graceRemaining]) {
      if (amount != null) parsePicos(amount);
    }
    return true;
  } catch {
    return false;
  }
};
