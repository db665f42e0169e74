import type { EpochNs } from '@bursar/contracts';
import { blocks, roomOf, type Scene, type Standing } from '../check/standing.js';
import type { TenantFold } from '../tenant-fold.js';
import type { Ask } from './ask.js';
import type { Granted } from './decide-reserve.js';
import { Grant } from './hold.js';
import { lessLeft } from './left.js';

/**
 * Grants of the very same, right after one another: on the terms of the first, by subtraction. Says of each what deciding anew would say, for as long as
 * nothing else is granted or folded and time stands still: many callers ask alike, and are decided together.
 */
export class Alike {
  private constructor(
    private readonly tenant: TenantFold,
    private last: Granted,
    /** The least that is left of a budget that blocks; null: none has an end. */
    private room: bigint | null,
  ) {}

  /**
   * Of what was just granted. null: deciding anew may say something else than subtraction. A foreign budget rounds what it holds, and may
   * become the tightest; an override may become needed.
   */
  static to(tenant: TenantFold, { standings, asked, now }: Scene, granted: Granted): Alike | null {
    const isPlain = standings.every(
      ({ amount, state }) => amount === asked.picos && state.currency === asked.currency && state.controls.overrides.length === 0,
    );
    return isPlain ? new Alike(tenant, granted, leastRoom(standings, asked.picos, now)) : null;
  }

  /** null: it is another request, or there is no room for it. */
  next(tenant: TenantFold, { reservationId, bodyHash }: Ask): Granted | null {
    const { grant, parts, taken, tightest } = this.last;
    const { terms } = grant;
    if (tenant !== this.tenant || bodyHash !== terms.bodyHash || (this.room !== null && terms.amount > this.room)) return null;
    if (this.room !== null) this.room -= terms.amount;
    this.last = {
      grant: new Grant(reservationId, terms, grant.left === null ? null : lessLeft(grant.left, terms.amount)),
      parts,
      taken,
      tightest: tightest === null ? null : { ...tightest, reserved: tightest.reserved + terms.amount },
    };
    return this.last;
  }
}

const leastRoom = (standings: readonly Standing[], taken: bigint, now: EpochNs): bigint | null => {
  let least: bigint | null = null;
  for (const standing of standings) {
    const room = blocks(standing, now) ? roomOf(standing) : null;
    if (room !== null && (least === null || room - taken < least)) least = room - taken;
  }
  return least;
};
