import { canonicalJson, type HoldReservation, type HoldsGranted, type HoldTerms, parsePicos } from '@bursar/contracts';
import type { TenantDefinitions } from '@bursar/contracts/folds';
import type { Left } from './grant-text.js';
import type { SettlementFlag } from './settlement-flag.js';
import { readTerms, type Terms } from './terms.js';

/** `unknown`: usage named a reservation of which nothing was granted. */
export type HoldStatus = 'held' | 'settled' | 'released' | 'expired' | 'unknown';

/** One reservation as it was granted. */
export class Grant {
  constructor(
    readonly reservationId: string,
    readonly terms: Terms,
    /** What was left of the tightest budget with it, in picos of that budget's currency; null: no end. */
    readonly remaining: bigint | null,
    readonly graceRemaining: bigint | null,
  ) {}

  /** null: no budget applied. */
  get left(): Left | null {
    return this.terms.tightest === null ? null : this;
  }
}

/** Where a hold ended, or was never begun. */
export type HoldEnd = Readonly<{ at: string; position: number }>;

const NO_FLAGS: readonly SettlementFlag[] = [];

/** One reservation by its id, for ever: changed in place by the fold, which owns it. */
export class Hold {
  status: HoldStatus;
  end: HoldEnd | null = null;
  /** Event id of the first usage that named it, once it was granted. */
  settledBy: string | null = null;
  /** What that cost in the hold's currency, in picos; null: not known, or not yet. */
  actual: bigint | null = null;
  /** Of every usage that named it, each once. */
  flags: readonly SettlementFlag[] = NO_FLAGS;
  /** Position of the last event that changed it. */
  position: number;
  /** The tables know of it. */
  isStored = false;
  /** They count it among those that are held. */
  isStoredOpen = false;
  /** Another event grants the same id, in vain: the tables have to say which one counts. */
  isGrantedAgain = false;

  /** @param grant null: only usage named it */
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly grant: Grant | null,
    /** Of the grant's event, or of the usage that named it. */
    readonly since: number,
  ) {
    this.status = grant === null ? 'unknown' : 'held';
    this.position = since;
  }

  flag(flags: readonly SettlementFlag[]): void {
    if (flags.length > 0) this.flags = [...new Set([...this.flags, ...flags])];
  }

  get isOpen(): boolean {
    return this.status === 'held';
  }
}

/** Tells the charges what usage that names it settles (`HoldBook`): right before they are made. */
export const tell = ({ definitions }: Readonly<{ definitions: TenantDefinitions }>, { id, since, grant }: Hold): void => {
  if (grant !== null) definitions.holds.know(id, since, grant.terms.facts);
};

/** `text`: JSON of the terms, where that is at hand. */
export const readGrant = (wire: HoldTerms, reservation: HoldReservation, text?: string): Grant =>
  grantOn(readTerms(wire, text), reservation);

/** Those that an event grants on the same terms. */
export const readGrants = (change: HoldsGranted): readonly Grant[] => {
  const terms = readTerms(change.terms);
  terms.saidBy(canonicalJson(change));
  return change.reservations.map((reservation) => grantOn(terms, reservation));
};

const grantOn = (terms: Terms, { id, remaining = null, graceRemaining = remaining }: HoldReservation): Grant =>
  new Grant(id, terms, picosOf(remaining), picosOf(graceRemaining));

const picosOf = (amount: string | null): bigint | null => (amount === null ? null : parsePicos(amount));
