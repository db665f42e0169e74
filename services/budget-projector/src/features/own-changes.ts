import type { Ended } from '../domain/holds/fold-holds.js';
import type { Grant } from '../domain/holds/hold.js';

/** What one entry of a `HoldsChanged` does, as its owner decided it. */
export type OwnChange = Readonly<{ change: 'granted'; tenant: string; grants: readonly Grant[] }> | Ended;

/**
 * What this owner decided and put into the ledger, until the fold comes to it there: it knows then what the event says without reading it.
 * By the event's id, entry by entry.
 */
export class OwnChanges {
  readonly #byEvent = new Map<string, readonly OwnChange[]>();

  /** Before it is appended: the fold may come to it first. */
  expect(eventId: string, changes: readonly OwnChange[]): void {
    this.#byEvent.set(eventId, changes);
  }

  has(eventId: string): boolean {
    return this.#byEvent.has(eventId);
  }

  /** How many decisions; undefined: somebody else's. */
  count(eventId: string): number | undefined {
    return this.#byEvent.get(eventId)?.reduce((count, change) => count + decisionsIn(change), 0);
  }

  /** Undefined: somebody else's. */
  take(eventId: string): readonly OwnChange[] | undefined {
    const changes = this.#byEvent.get(eventId);
    this.#byEvent.delete(eventId);
    return changes;
  }
}

const decisionsIn = (change: OwnChange): number => (change.change === 'granted' ? change.grants.length : 1);
