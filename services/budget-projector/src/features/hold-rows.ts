import { type EpochNs, formatInstant, formatPicos, type HoldReservation, type HoldTerms, parsePicos } from '@bursar/contracts';
import type { BudgetFold } from '../domain/budget-fold.js';
import { Hold, type HoldStatus, readGrant } from '../domain/holds/hold.js';
import type { SettlementFlag } from '../domain/holds/settlement-flag.js';

/** What became of a reservation, as its table keeps it. It stays: its id means this for ever. */
export type HoldRow = Readonly<{
  tenant: string;
  reservationId: string;
  status: HoldStatus;
  since: number;
  endedAt: string | null;
  endedPosition: number | null;
  settledBy: string | null;
  actual: string | null;
  flags: readonly SettlementFlag[];
  position: number;
}>;

/** What is held in a period of a budget, absolute; `0`: no row. */
export type ReservedRow = Readonly<{ tenant: string; budgetId: string; periodStart: string; reserved: string }>;

/** A hold that ends by itself at `expiresAt`. */
export type Expiring = Readonly<{ tenant: string; reservationId: string; expiresAt: EpochNs }>;

/** null: it is held as it was granted, which its group says. */
export const toHoldRow = (one: Hold): HoldRow | null =>
  one.isOpen && !one.isGrantedAgain && one.settledBy === null
    ? null
    : {
        tenant: one.tenant,
        reservationId: one.id,
        status: one.status,
        since: one.since,
        endedAt: one.end?.at ?? null,
        endedPosition: one.end?.position ?? null,
        settledBy: one.settledBy,
        actual: one.actual === null ? null : formatPicos(one.actual),
        flags: one.flags,
        position: one.position,
      };

/** A reservation as the tables have it, with what the ledger says was granted; null: nothing was. */
export type StoredHold = HoldRow & Readonly<{ granted: Readonly<{ terms: HoldTerms; reservation: HoldReservation }> | null }>;

/** As the fold uses it. */
export const readHold = ({ granted, ...row }: StoredHold): Hold => {
  const grant = granted === null ? null : readGrant(granted.terms, granted.reservation);
  const one = new Hold(row.tenant, row.reservationId, grant, row.since);
  one.status = row.status;
  one.end = row.endedAt === null ? null : { at: row.endedAt, position: row.endedPosition ?? 0 };
  one.settledBy = row.settledBy;
  one.actual = row.actual === null ? null : parsePicos(row.actual);
  one.position = row.position;
  one.written();
  one.flag(row.flags);
  return one;
};

export const toReservedRows = (changed: ReadonlyMap<BudgetFold, ReadonlySet<EpochNs>>): readonly ReservedRow[] =>
  [...changed].flatMap(([budget, starts]) =>
    [...starts].map((start) => ({
      tenant: budget.tenant,
      budgetId: budget.id,
      periodStart: formatInstant(start),
      reserved: formatPicos(budget.reserved.at(start)),
    })),
  );
