import { Grant, Hold } from './hold.js';
import type { Terms } from './terms.js';

/** What one event grants to a tenant on the same terms: all that memory keeps of these holds, for as long as nothing has become of them. */
export class Lot {
  /** How many were granted. */
  size = 0;
  /** The tables know of it. */
  isStored = false;

  constructor(
    readonly tenant: string,
    readonly terms: Terms,
    /** Position of the event. */
    readonly since: number,
  ) {}

  /** One of them, as it was granted. */
  hold(id: string): Hold {
    return new Hold(this.tenant, id, new Grant(id, this.terms, null), this.since, this);
  }
}
