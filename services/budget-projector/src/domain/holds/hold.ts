import { canonicalJson, type EpochNs, type HoldGranted, parseInstant, parsePicos } from '@bursar/contracts';
import { type HoldFacts, holdFacts, type TenantDefinitions } from '@bursar/contracts/folds';
import type { SettlementFlag } from './settlement-flag.js';

/** `unknown`: usage named a reservation of which nothing was granted. */
export type HoldStatus = 'held' | 'settled' | 'released' | 'expired' | 'unknown';

/** What a hold keeps of one budget, in picos of the budget's currency. */
export type HeldAmount = Readonly<{ budgetId: string; picos: bigint }>;

/** What a grant says, read once. Kept for as long as its hold is open, so what is rarely asked for is kept as text alone. */
export class Grant {
  #text: string;

  /** @param text its JSON, keys in order: as the event says it and the table keeps it */
  constructor(
    readonly reservationId: string,
    text: string,
    readonly bodyHash: string,
    readonly facts: HoldFacts,
    readonly amounts: readonly HeldAmount[],
    /** In picos of the hold's own currency. */
    readonly amount: bigint,
    readonly currency: string,
    readonly expiresAt: EpochNs,
  ) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  /**
   * The text is a part of this larger one, and is kept as that: a text that was put together is some forty objects until somebody reads it whole, and
   * every collection of garbage would copy them for each open hold.
   */
  keepWithin(whole: string, start: number): void {
    this.#text = whole.slice(start, start + this.#text.length);
  }

  get wire(): HoldGranted {
    return JSON.parse(this.text) as HoldGranted;
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
  /** The tables do not have it yet. */
  isNew = true;
  /** They have it, as open. */
  isStoredOpen = false;

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
  if (grant !== null) definitions.holds.know(id, since, grant.facts);
};

/** @param text its canonical JSON, where that is at hand */
export const readGrant = (wire: HoldGranted, text = canonicalJson(wire)): Grant =>
  new Grant(
    wire.reservationId,
    text,
    wire.bodyHash,
    holdFacts(wire),
    wire.budgets.map(({ budgetId, amount }) => ({ budgetId, picos: parsePicos(amount) })),
    parsePicos(wire.amount),
    wire.currency,
    parseInstant(wire.expiresAt),
  );
