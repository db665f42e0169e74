import { canonicalJson, type HoldsGranted } from '@bursar/contracts';
import type { HoldRow, StoredHold } from '../../src/features/hold-rows.js';

/** What was granted is written once, as the event says it. */
export const toStored = ({ terms, isNew, ends: _, ...row }: HoldRow, before?: StoredHold): StoredHold => {
  if (!isNew || terms === null) return { ...row, terms: before?.terms ?? null, reservation: before?.reservation ?? null };
  const granted = JSON.parse(terms.granted) as HoldsGranted;
  const reservation = granted.reservations.find(({ id }) => id === row.reservationId);
  return { ...row, terms: canonicalJson(granted.terms), reservation: canonicalJson(reservation) };
};
