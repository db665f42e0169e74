import { type EpochNs, NS_PER_SECOND } from '@bursar/contracts';
import type { Expiring } from './hold-rows.js';

/** By tenant and reservation: no text is made for each, since there may be very many. */
type Second = Map<string, Map<string, EpochNs>>;

/** Which open holds of a partition end by themselves, and when: by the second in which they do. */
export class Expiries {
  readonly #bySecond = new Map<number, Second>();

  add({ tenant, reservationId, expiresAt }: Expiring): void {
    this.addAll(tenant, expiresAt, [reservationId]);
  }

  /** What is granted together ends together. */
  addAll(tenant: string, expiresAt: EpochNs, reservationIds: readonly string[]): void {
    const second = secondOf(expiresAt);
    const here: Second = this.#bySecond.get(second) ?? new Map();
    this.#bySecond.set(second, here);
    const ofTenant = here.get(tenant) ?? new Map<string, EpochNs>();
    here.set(tenant, ofTenant);
    for (const reservationId of reservationIds) ofTenant.set(reservationId, expiresAt);
  }

  remove({ tenant, reservationId, expiresAt }: Expiring): void {
    const second = secondOf(expiresAt);
    const here = this.#bySecond.get(second);
    const ofTenant = here?.get(tenant);
    ofTenant?.delete(reservationId);
    if (ofTenant?.size === 0) here?.delete(tenant);
    if (here?.size === 0) this.#bySecond.delete(second);
  }

  /** Those whose time is over; they stay until removed. */
  due(now: EpochNs): readonly Expiring[] {
    const last = secondOf(now);
    const due: Expiring[] = [];
    for (const [second, here] of this.#bySecond) {
      if (second > last) continue;
      for (const [tenant, ofTenant] of here) {
        for (const [reservationId, expiresAt] of ofTenant) if (expiresAt <= now) due.push({ tenant, reservationId, expiresAt });
      }
    }
    return due;
  }
}

const secondOf = (instant: EpochNs): number => Number(instant / NS_PER_SECOND);
