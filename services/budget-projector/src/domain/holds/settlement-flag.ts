/** What the fold finds out of the ordinary about usage that names a reservation (RELIABILITY F26–F28). It counts in any case. */
export type SettlementFlag =
  | 'SettledOverReservation'
  | 'SettledAfterExpiry'
  | 'SettledAfterRelease'
  | 'SettledTwice'
  | 'UnknownReservation';

/** One usage event that named a reservation. */
export type Settlement = Readonly<{
  tenant: string;
  /** Of the usage. */
  position: number;
  reservationId: string;
  flags: readonly SettlementFlag[];
}>;
