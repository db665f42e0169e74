import type { EpochNs, LedgerEvent } from '@bursar/contracts';
import type { BudgetState } from '@bursar/contracts/folds';
import type { Saying } from '../domain/say.js';

/** A budget as one of its events left it. */
export type BudgetVersion = Readonly<{ at: EpochNs; state: BudgetState }>;

export type FollowOptions = Readonly<{ partition: number; after: number; signal: AbortSignal; types: ReadonlySet<string> }>;

/** The ledger as the scheduler sees it. Its own port, so that models can run on one in memory. */
export abstract class Ledger {
  abstract readonly partitions: number;

  /**
   * Delivers the events of these types in position order, with the last position that was looked at. Resolves when the signal aborts;
   * rejects when the handler does, and with `UnknownEventError` at an event of a newer release.
   */
  abstract follow(options: FollowOptions, handler: (events: readonly LedgerEvent[], last: number) => Promise<void>): Promise<void>;

  /** Somebody waits until everything there is was looked at: whoever follows the partition here is not to take its time. */
  abstract look(partition: number): void;

  /** By partition. */
  abstract heads(): Promise<ReadonlyMap<number, number>>;

  /** What the budget was, oldest first. */
  abstract history(tenant: string, budgetId: string): Promise<readonly BudgetVersion[]>;

  /** Appends what is said of one budget, idempotent by id; answers for each whether it is new. */
  abstract append(partition: number, sayings: readonly Saying[]): Promise<readonly boolean[]>;
}
