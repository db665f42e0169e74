import type { Changes } from '../domain/changes.js';
import type { Hold } from '../domain/holds/hold.js';
import type { Terms } from '../domain/holds/terms.js';
import { type HoldRow, toHoldRow } from './hold-rows.js';

/** What was granted to one tenant by one event; a table keeps it as one row. */
export type NewGroup = Readonly<{
  tenant: string;
  /** Position of the event. */
  since: number;
  /** What of the event grants them, on each of its terms. */
  terms: ReadonlySet<Terms>;
  /** How many of them are held. */
  held: number;
  /** Of the last event that changed one of them. */
  position: number;
}>;

/** What became of a group that its table has: so many of its holds are held no more. */
export type ChangedGroup = Readonly<{ tenant: string; since: number; ended: number; position: number }>;

/** What the tables lack of reservations. */
export type HoldWrites = Readonly<{ added: readonly NewGroup[]; changed: readonly ChangedGroup[]; rows: readonly HoldRow[] }>;

type Place = Pick<Hold, 'tenant' | 'since' | 'position'>;
type Added = NewGroup & { terms: Set<Terms>; held: number; position: number };
type Changed = ChangedGroup & { ended: number; position: number };

/** From here on they count as written: when the commit fails, the session ends, and memory with it. */
export const toHoldWrites = ({ opened, holds }: Pick<Changes, 'opened' | 'holds'>): HoldWrites => {
  const added = new Groups<Added>(({ tenant, since, position }) => ({ tenant, since, terms: new Set(), held: 0, position }));
  const changed = new Groups<Changed>(({ tenant, since, position }) => ({ tenant, since, ended: 0, position }));
  const rows: HoldRow[] = [];
  for (const one of holds) {
    if (one.grant !== null && one.isStored) {
      const group = changed.of(one);
      if (one.isStoredOpen && !one.isOpen) group.ended += 1;
    } else if (one.grant !== null) {
      const group = added.of(one);
      // Its lot is among those that were opened, and counts all of its holds.
      if (!one.isOpen) group.held -= 1;
    }
    const row = toHoldRow(one);
    if (row !== null) rows.push(row);
    one.written();
  }
  for (const lot of opened) {
    const group = added.of({ tenant: lot.tenant, since: lot.since, position: lot.since });
    group.terms.add(lot.terms);
    group.held += lot.size;
    lot.isStored = true;
  }
  return { added: added.all, changed: changed.all, rows };
};

/** One for what an event granted to a tenant. */
class Groups<G extends { readonly tenant: string; readonly since: number; position: number }> {
  readonly #byKey = new Map<string, G>();
  #last: G | null = null;

  constructor(private readonly begin: (first: Place) => G) {}

  of(one: Place): G {
    const { tenant, since, position } = one;
    // What was granted together comes together.
    if (this.#last?.since !== since || this.#last.tenant !== tenant) this.#last = this.#at(`${since} ${tenant}`, one);
    if (position > this.#last.position) this.#last.position = position;
    return this.#last;
  }

  get all(): readonly G[] {
    return [...this.#byKey.values()];
  }

  #at(key: string, first: Place): G {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const group = this.begin(first);
    this.#byKey.set(key, group);
    return group;
  }
}
