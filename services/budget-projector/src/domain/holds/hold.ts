import { canonicalJson, type HoldReservation, type HoldsGranted, type HoldTerms, parsePicos, readOnce } from '@bursar/contracts';
import type { TenantDefinitions } from '@bursar/contracts/folds';
import { type Left, lessLeft } from './left.js';
import type { SettlementFlag } from './settlement-flag.js';
import { readTerms, type Terms } from './terms.js';

/** `unknown`: usage named a reservation of which nothing was granted. */
export type HoldStatus = 'held' | 'settled' | 'released' | 'expired' | 'unknown';

/** One reservation as it was granted. */
export class Grant {
  #left: Left | null;

  /** @param left null: the event that the terms are of says it, and is read when somebody asks */
  constructor(
    readonly reservationId: string,
    readonly terms: Terms,
    left: Left | null,
  ) {
    this.#left = left;
  }

  /** Of the tightest budget, with this; null: no budget applied. */
  get left(): Left | null {
    if (this.terms.tightest === null) return null;
    this.#left ??= leftOf(this.terms.reservation(this.reservationId));
    return this.#left;
  }
}

type Stored = Readonly<{ isStored: boolean }>;

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
  #written: 'no' | 'held' | 'ended' = 'no';
  /** Another event grants the same id, in vain: the tables have to say which one counts. */
  isGrantedAgain = false;

  /** @param grant null: only usage named it */
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly grant: Grant | null,
    /** Of the grant's event, or of the usage that named it. */
    readonly since: number,
    /** As a part of which the tables know of it, until they are told of it alone; null: none. */
    private readonly lot: Stored | null = null,
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

  /** The tables know of it. */
  get isStored(): boolean {
    return this.#written !== 'no' || this.lot?.isStored === true;
  }

  /** They count it among those that are held. */
  get isStoredOpen(): boolean {
    return this.#written === 'no' ? this.isStored : this.#written === 'held';
  }

  /** The tables know of it as it is now. */
  written(): void {
    this.#written = this.isOpen ? 'held' : 'ended';
  }
}

/** Tells the charges what usage that names it settles (`HoldBook`): right before they are made. */
export const tell = ({ definitions }: Readonly<{ definitions: TenantDefinitions }>, { id, since, grant }: Hold): void => {
  if (grant !== null) definitions.holds.know(id, since, grant.terms.facts);
};

/** One of those that an event grants; on the same object of terms as whatever was read of them before. */
export const readGrant = (wire: HoldTerms, reservation: HoldReservation): Grant =>
  new Grant(reservation.id, termsOf(wire), leftOf(reservation));

/** Those that an event grants on the same terms. */
export const readGrants = (change: HoldsGranted): readonly Grant[] => {
  const terms = readTerms(change.terms);
  terms.saidBy(canonicalJson(change));
  const first = leftOf(change);
  return change.reservationIds.map((id, nth) => new Grant(id, terms, lessLeft(first, BigInt(nth) * terms.amount)));
};

const termsOf = readOnce((wire: HoldTerms) => readTerms(wire));

const leftOf = ({ remaining = null, graceRemaining = remaining }: Omit<HoldReservation, 'id'>): Left => ({
  remaining: picosOf(remaining),
  graceRemaining: picosOf(graceRemaining),
});

const picosOf = (amount: string | null): bigint | null => (amount === null ? null : parsePicos(amount));
