import { type HoldsGranted, holdReservations } from '@bursar/contracts';
import type { NewGroup } from '../../src/features/hold-groups.js';
import type { HoldRow, StoredHold } from '../../src/features/hold-rows.js';

/** What a group says of its reservations, as long as nothing became of them. */
export const grantedBy = ({ tenant, since, terms }: NewGroup): readonly StoredHold[] =>
  [...terms].flatMap(({ granted }) => {
    const said = JSON.parse(granted) as HoldsGranted;
    return holdReservations(said).map((reservation) => ({
      tenant,
      reservationId: reservation.id,
      status: 'held' as const,
      since,
      endedAt: null,
      endedPosition: null,
      settledBy: null,
      actual: null,
      flags: [],
      position: since,
      granted: { terms: said.terms, reservation },
    }));
  });

/** With what was granted, where that is what it became: usage may have named the id before. */
export const toStored = (row: HoldRow, before?: StoredHold): StoredHold => {
  return { ...row, granted: before?.since === row.since ? before.granted : null };
};
