import type { Hold } from './hold.js';
import { Lot } from './lot.js';
import type { Terms } from './terms.js';

/**
 * A tenant's reservations in memory, by id. There may be very many that are only held: such a one becomes an object of its own when somebody asks for it.
 */
export class TenantHolds {
  readonly #byId = new Map<string, Hold | Lot>();

  /** Always the same object, for as long as it is here. */
  get(id: string): Hold | undefined {
    const known = this.#byId.get(id);
    if (!(known instanceof Lot)) return known;
    const one = known.hold(id);
    this.#byId.set(id, one);
    return one;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Of the event that granted it, or of the usage that named it; undefined: it is not here. */
  sinceOf(id: string): number | undefined {
    return this.#byId.get(id)?.since;
  }

  set(one: Hold): void {
    this.#byId.set(one.id, one);
  }

  /** One more of the lot. */
  open(id: string, lot: Lot): void {
    this.#byId.set(id, lot);
    lot.size += 1;
  }

  delete(id: string): void {
    this.#byId.delete(id);
  }

  /** Of every hold that is open, in no order. */
  *openTerms(): Iterable<Terms> {
    for (const known of this.#byId.values()) {
      if (known instanceof Lot) yield known.terms;
      else if (known.isOpen && known.grant !== null) yield known.grant.terms;
    }
  }
}
