import { type EpochNs, type HoldChange, parseInstant, parsePicos } from '@bursar/contracts';

/** A decision, as far as it says which other ones came before it. */
export type Among = Readonly<{
  tenant: string;
  /** Of the reservation that it granted, with which it is in the ledger; null: it is not there. */
  reservationId: string | null;
  /** Else what was granted earlier than this came before it; 0: nobody knows when it was decided. */
  now: EpochNs;
  /** What the deciding budget held for those before it, in picos of its currency: so many of the same moment are among them. */
  lacking: bigint;
  decidedBy: string | null;
  /** Of each budget that applied, the start of its period. RFC 3339. */
  starts: ReadonlyMap<string, string | null>;
}>;

/**
 * What budgets held for reservations that were decided before a decision and folded after what it was decided on. An owner decides one after another,
 * and the ledger has them in that order, so they are its first ones from there on. In picos of each budget's currency.
 */
export class HeldBeside {
  readonly #held = new Map<string, bigint>();
  #isOver = false;

  constructor(private readonly among: Among) {}

  /** All that came before it were told: what follows was decided after it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  on(budgetId: string): bigint {
    return this.#held.get(budgetId) ?? 0n;
  }

  /** One event of holds after another, in the order of the ledger. */
  tell(changes: readonly HoldChange[]): void {
    for (const change of changes) {
      if (change.change !== 'granted' || change.tenant !== this.among.tenant) continue;
      for (const id of change.reservationIds) {
        this.#isOver ||= id === this.among.reservationId || !this.#isBefore(change.terms.grantedAt);
        if (this.#isOver) return;
        for (const { budgetId, periodStart, amount } of change.terms.budgets) {
          if (this.among.starts.get(budgetId) === periodStart) this.#held.set(budgetId, this.on(budgetId) + parsePicos(amount));
        }
      }
    }
  }

  #isBefore(grantedAt: string): boolean {
    const { reservationId, now, lacking, decidedBy } = this.among;
    return reservationId !== null || parseInstant(grantedAt) < now || (decidedBy !== null && this.on(decidedBy) < lacking);
  }
}
