/** Where the owner of each partition is asked; partitions without a live owner, or with one that does not listen yet, are absent. */
export type OwnerUrls = ReadonlyMap<number, string>;

/**
 * Where owners are, in one read for all who ask while it is under way. Whoever waits for an owner asks ten times a second, and hundreds
 * may wait at once, most of all while there is none: a read for each would take up the database that the take-over waits for.
 */
export class OwnerDirectory {
  #reading: Promise<OwnerUrls> | null = null;

  constructor(private readonly read: () => Promise<OwnerUrls>) {}

  /** As of a moment ago at most: as long as one read takes. Rejects as the read does; the next to ask begins another. */
  async urlOf(partition: number): Promise<string | null> {
    this.#reading ??= this.read().finally(() => {
      this.#reading = null;
    });
    return (await this.#reading).get(partition) ?? null;
  }
}
