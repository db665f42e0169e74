export type Hole = Readonly<{ after: number; through: number }>;

type Range = Readonly<{ first: number; last: number }>;
type Covered = { through: number; islands: Range[] };

/** Islands kept per partition; older ones are forgotten, at worst to be published again. */
const MAX_ISLANDS = 1_000;

/** Which positions of each partition have been on `ledger.<p>`. Pure bookkeeping. */
export class Coverage {
  readonly #partitions = new Map<number, Covered>();

  /** Takes everything up to a position as covered. */
  start(partition: number, through: number): void {
    const at = this.#partitions.get(partition);
    if (at === undefined) this.#partitions.set(partition, { through, islands: [] });
    else this.#extend(at, through);
  }

  cover(partition: number, first: number, last: number): void {
    const at = this.#partitions.get(partition);
    if (at === undefined || last <= at.through) return;
    if (first <= at.through + 1) {
      this.#extend(at, last);
      return;
    }
    at.islands.push({ first, last });
    if (at.islands.length > MAX_ISLANDS) at.islands.shift();
  }

  /** Up to where everything is covered; 0 for a partition never started. */
  through(partition: number): number {
    return this.#partitions.get(partition)?.through ?? 0;
  }

  /** Forgets what was covered beyond a position. */
  restart(partition: number, through: number): void {
    this.#partitions.set(partition, { through, islands: [] });
  }

  forget(partition: number): void {
    this.#partitions.delete(partition);
  }

  /** The first hole at or before `through`; null when there is none. */
  hole(partition: number, through: number): Hole | null {
    const at = this.#partitions.get(partition);
    if (at === undefined || at.through >= through) return null;
    const next = at.islands.reduce((nearest, { first }) => Math.min(nearest, first), through + 1);
    return { after: at.through, through: Math.min(through, next - 1) };
  }

  #extend(at: Covered, last: number): void {
    at.through = Math.max(at.through, last);
    for (let joined = true; joined; ) {
      joined = false;
      at.islands = at.islands.filter((island) => {
        if (island.first > at.through + 1) return true;
        joined ||= island.last > at.through;
        at.through = Math.max(at.through, island.last);
        return false;
      });
    }
  }
}
