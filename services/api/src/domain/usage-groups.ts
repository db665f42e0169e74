import { type EpochNs, formatPicos, type Period } from '@bursar/contracts';
import type { SpendPart } from './spend-groups.js';

/** What one usage event adds. `picos` null: it has no price or no exchange rate yet. */
export type Gain = Readonly<{
  at: EpochNs;
  key: string | null;
  currency: string;
  picos: bigint | null;
  inputTokens: bigint;
  outputTokens: bigint;
  failed: boolean;
}>;

export type GroupCell = SpendPart & Readonly<{ interval: number; key: string | null }>;

type Sums = { spend: bigint; events: number; unpriced: number; inputTokens: bigint; outputTokens: bigint };
type Cell = Readonly<{ interval: number; key: string | null; currency: string; sums: Sums }>;

/** Sums of usage by interval, key and currency, exact; what lies in no interval is left out. */
export class UsageGroups {
  readonly #cells = new Map<string, Cell>();

  constructor(
    /** In order, without gaps that matter. */
    private readonly intervals: readonly Period[],
  ) {}

  get size(): number {
    return this.#cells.size;
  }

  add(gain: Gain): void {
    const interval = this.#intervalOf(gain.at);
    if (interval < 0) return;
    const currency = gain.picos === null ? '' : gain.currency;
    const id = JSON.stringify([interval, gain.key, currency]);
    const known = this.#cells.get(id);
    const { sums } = known ?? { sums: { spend: 0n, events: 0, unpriced: 0, inputTokens: 0n, outputTokens: 0n } };
    if (known === undefined) this.#cells.set(id, { interval, key: gain.key, currency, sums });
    sums.events += 1;
    if (gain.picos === null) sums.unpriced += 1;
    else sums.spend += gain.picos;
    sums.inputTokens += gain.inputTokens;
    sums.outputTokens += gain.outputTokens;
  }

  /** By interval, the dearest first in each: the order of the rollups. */
  cells(): readonly GroupCell[] {
    return [...this.#cells.values()].sort(byPlace).map(({ sums, ...cell }) => ({
      ...cell,
      spend: formatPicos(sums.spend),
      events: sums.events,
      unpriced: sums.unpriced,
      inputTokens: String(sums.inputTokens),
      outputTokens: String(sums.outputTokens),
    }));
  }

  #intervalOf(at: EpochNs): number {
    let [low, high] = [0, this.intervals.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const part = this.intervals[middle];
      if (part === undefined) return -1;
      if (at < part.start) high = middle - 1;
      else if (at >= part.end) low = middle + 1;
      else return middle;
    }
    return -1;
  }
}

const byPlace = (a: Cell, b: Cell): number =>
  a.interval - b.interval ||
  descending(a.sums.spend, b.sums.spend) ||
  ascending(a.key ?? '', b.key ?? '') ||
  ascending(a.currency, b.currency);
const descending = (a: bigint, b: bigint): number => (a > b ? -1 : Number(a < b));
const ascending = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
