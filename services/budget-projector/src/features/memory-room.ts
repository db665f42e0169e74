/** How many of each this process keeps in memory, about, before what is cold and clean is let go. */
export type MemoryLimits = Readonly<{
  tenants: number;
  /** Events that the histories of its tenants were made of: some 2 kB each. */
  definitions: number;
  /** Balances: some 500 bytes each. */
  periods: number;
}>;

/** What one partition keeps. */
export type Held = Readonly<Record<keyof MemoryLimits, number>>;

/** So much is kept when something is let go, so that it is not done for every batch. */
const KEPT = 0.7;

/** The memory that the partitions of a process share: one that is busy may have what others do not need. */
export class MemoryRoom {
  readonly #members = new Set<Readonly<{ held: Held }>>();

  constructor(private readonly limits: MemoryLimits) {}

  /** Answers how to leave. */
  join(member: Readonly<{ held: Held }>): () => void {
    this.#members.add(member);
    return () => {
      this.#members.delete(member);
    };
  }

  /** How many a member may keep: null while there is room for all; never less than an equal share. */
  quota(kind: keyof MemoryLimits, held: number): number | null {
    const limit = this.limits[kind];
    let total = 0;
    for (const member of this.#members) total += member.held[kind];
    if (total <= limit) return null;
    const kept = limit * KEPT;
    return Math.floor(Math.max(kept / this.#members.size, held - (total - kept)));
  }
}
