import { type EpochNs, NS_PER_SECOND } from '@bursar/contracts';
import type { Expiring } from './hold-rows.js';

/** Ids by the instant at which they end: what is granted together ends together, and there may be very many. */
type Lots = Map<EpochNs, string[]>;
/** By tenant. */
type Second = Map<string, Lots>;

/** Which open holds of a partition end by themselves, and when: by the second in which they do. */
export class Expiries {
  readonly #bySecond = new Map<number, Second>();

  add({ tenant, reservationId, expiresAt }: Expiring): void {
    this.addAll(tenant, expiresAt, [reservationId]);
  }

  addAll(tenant: string, expiresAt: EpochNs, reservationIds: readonly string[]): void {
    const second = secondOf(expiresAt);
    const here: Second = this.#bySecond.get(second) ?? new Map();
    this.#bySecond.set(second, here);
    const lots: Lots = here.get(tenant) ?? new Map();
    here.set(tenant, lots);
    const lot = lots.get(expiresAt);
    if (lot === undefined) lots.set(expiresAt, [...reservationIds]);
    else for (const reservationId of reservationIds) lot.push(reservationId);
  }

  remove({ tenant, reservationId, expiresAt }: Expiring): void {
    const second = secondOf(expiresAt);
    const here = this.#bySecond.get(second);
    const lots = here?.get(tenant);
    const lot = lots?.get(expiresAt);
    if (here === undefined || lots === undefined || lot === undefined) return;
    takeOut(lot, reservationId);
    if (lot.length === 0) lots.delete(expiresAt);
    if (lots.size === 0) here.delete(tenant);
    if (here.size === 0) this.#bySecond.delete(second);
  }

  /** Those whose time is over; they stay until removed. */
  due(now: EpochNs): readonly Expiring[] {
    const last = secondOf(now);
    const due: Expiring[] = [];
    for (const [second, here] of this.#bySecond) {
      if (second > last) continue;
      for (const [tenant, lots] of here) {
        for (const [expiresAt, lot] of lots) {
          if (expiresAt <= now) for (const reservationId of lot) due.push({ tenant, reservationId, expiresAt });
        }
      }
    }
    return due;
  }
}

/** However often it is there: an event may grant an id twice. The order is nobody's concern. */
const takeOut = (lot: string[], reservationId: string): void => {
  for (let place = lot.indexOf(reservationId); place >= 0; place = lot.indexOf(reservationId, place)) {
    const last = lot.pop();
    if (last !== undefined && place < lot.length) lot[place] = last;
  }
};

const secondOf = (instant: EpochNs): number => Number(instant / NS_PER_SECOND);
