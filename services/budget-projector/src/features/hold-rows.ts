import { type EpochNs, formatInstant, formatPicos, type HoldReservation, type HoldTerms, parsePicos } from '@bursar/contracts';
import type { BudgetFold } from '../domain/budget-fold.js';
import { Hold, type HoldStatus, readGrant } from '../domain/holds/hold.js';
import type { SettlementFlag } from '../domain/holds/settlement-flag.js';
import type { Terms } from '../domain/holds/terms.js';

/** A reservation as its table keeps it. A closed one stays: its id means this for ever. */
export type HoldRow = Readonly<{
  tenant: string;
  reservationId: string;
  status: HoldStatus;
  /** On which it was granted; null: nothing was granted. */
  terms: Terms | null;
  since: number;
  endedAt: string | null;
  endedPosition: number | null;
  settledBy: string | null;
  actual: string | null;
  flags: readonly SettlementFlag[];
  position: number;
  /** The table has it not: what never changes is to be written too. */
  isNew: boolean;
  /** The table has it as open, and it is no more. */
  ends: boolean;
}>;

/** What is held in a period of a budget, absolute; `0`: no row. */
export type ReservedRow = Readonly<{ tenant: string; budgetId: string; periodStart: string; reserved: string }>;

/** A hold that ends by itself at `expiresAt`. */
export type Expiring = Readonly<{ tenant: string; reservationId: string; expiresAt: EpochNs }>;

/** From here on it counts as written: when the commit fails, the session ends, and memory with it. */
export const toHoldRow = (one: Hold): HoldRow => {
  const row = rowOf(one);
  one.isNew = false;
  one.isStoredOpen = one.isOpen;
  return row;
};

const rowOf = (one: Hold): HoldRow => ({
  tenant: one.tenant,
  reservationId: one.id,
  status: one.status,
  terms: one.grant?.terms ?? null,
  since: one.since,
  endedAt: one.end?.at ?? null,
  endedPosition: one.end?.position ?? null,
  settledBy: one.settledBy,
  actual: one.actual === null ? null : formatPicos(one.actual),
  flags: one.flags,
  position: one.position,
  isNew: one.isNew,
  ends: one.isStoredOpen && !one.isOpen,
});

/** A row as the table has it, with the JSON of its terms and of what else its grant says; null: nothing was granted. */
export type StoredHold = Omit<HoldRow, 'terms' | 'isNew' | 'ends'> & Readonly<{ terms: string | null; reservation: string | null }>;

/** What the table keeps, as the fold uses it. */
export const readHold = ({ terms, reservation, ...row }: StoredHold): Hold => {
  const grant =
    terms === null || reservation === null
      ? null
      : readGrant(JSON.parse(terms) as HoldTerms, JSON.parse(reservation) as HoldReservation, terms);
  const one = new Hold(row.tenant, row.reservationId, grant, row.since);
  one.status = row.status;
  one.end = row.endedAt === null ? null : { at: row.endedAt, position: row.endedPosition ?? 0 };
  one.settledBy = row.settledBy;
  one.actual = row.actual === null ? null : parsePicos(row.actual);
  one.position = row.position;
  one.isNew = false;
  one.isStoredOpen = one.isOpen;
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
