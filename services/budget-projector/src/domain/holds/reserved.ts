import type { EpochNs } from '@bursar/contracts';

/** Amounts by the start of the period they are held in; none where nothing is. In picos of the budget's currency. */
export class Reserved {
  readonly #byStart = new Map<EpochNs, bigint>();

  at(start: EpochNs): bigint {
    return this.#byStart.get(start) ?? 0n;
  }

  add(start: EpochNs, picos: bigint): void {
    const sum = this.at(start) + picos;
    if (sum === 0n) this.#byStart.delete(start);
    else this.#byStart.set(start, sum);
  }

  starts(): readonly EpochNs[] {
    return [...this.#byStart.keys()];
  }

  clear(): void {
    this.#byStart.clear();
  }
}
