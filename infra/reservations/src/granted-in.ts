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
export const grantedIn = ({ type, version, data }: Pick<StoredEvent, 'type' | 'version' | 'data'>): ReadonlyMap<string, Grants> => {
  const found = new Map<string, Map<string, Granted>>();
  if (type !== 'HoldsChanged') return found;
  const { changes } = upcast(type, version, JSON.parse(data)) as EventOf<'HoldsChanged'>['data'];
  for (const change of changes) {
    if (change.change !== 'granted') continue;
    const ofTenant = found.get(change.tenant) ?? new Map<string, Granted>();
    for (const reservation of readable(change)) {
      if (!ofTenant.has(reservation.id)) ofTenant.set(reservation.id, { terms: change.terms, reservation });
    }
    if (ofTenant.size > 0) found.set(change.tenant, ofTenant);
  }
  return found;
};

const readable = (granted: HoldsGranted): readonly HoldReservation[] => {
  const { terms } = granted;
  try {
    holdFacts(terms);
    parseInstant(terms.expiresAt);
    for (const { amount } of terms.budgets) parsePicos(amount);
    return holdReservations(granted);
  } catch {
    return [];
  }
};
