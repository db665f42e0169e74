import { type EpochNs, NS_PER_SECOND } from '@bursar/contracts';
import type { Expiring } from './hold-rows.js';

/** Which open holds of a partition end by themselves, and when: by the second in which they do. */
export class Expiries {
  readonly #bySecond = new Map<number, Map<string, Expiring>>();

  add(one: Expiring): void {
    const second = secondOf(one.expiresAt);
    const here = this.#bySecond.get(second) ?? new Map<string, Expiring>();
    this.#bySecond.set(second, here.set(keyOf(one), one));
  }

  remove(one: Expiring): void {
    const second = secondOf(one.expiresAt);
    const here = this.#bySecond.get(second);
    here?.delete(keyOf(one));
    if (here?.size === 0) this.#bySecond.delete(second);
  }

  /** Those whose time is over; they stay until removed. */
  due(now: EpochNs): readonly Expiring[] {
    const last = secondOf(now);
    const due: Expiring[] = [];
    for (const [second, here] of this.#bySecond) {
      if (second <= last) for (const one of here.values()) if (one.expiresAt <= now) due.push(one);
    }
    return due;
  }
}

const secondOf = (instant: EpochNs): number => Number(instant / NS_PER_SECOND);
const keyOf = ({ tenant, reservationId }: Expiring): string => `${tenant}\u0000${reservationId}`;
