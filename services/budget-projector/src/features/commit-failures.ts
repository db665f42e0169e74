import { isUnreadable, type LedgerItem } from './ledger.js';
import { DataRefusedError, FencedError } from './projection-tables.js';

/** A commit failed; `cause` is why. Of one event alone, when `events` is 1. */
export class CommitError extends Error {
  override readonly name = 'CommitError';
  constructor(
    readonly position: number,
    readonly events: number,
    cause: unknown,
  ) {
    super(`commit up to position ${position} failed`, { cause });
  }
}

/** The checkpoint belongs to somebody else. */
export const isFenced = (error: unknown): boolean =>
  error instanceof FencedError || (error instanceof CommitError && error.cause instanceof FencedError);

/** After the tables refused a commit: up to `until` events are committed one by one, to find the one; those found are set aside. */
export type Suspects = { until: number; readonly refused: Map<number, string> };
export const noSuspects = (): Suspects => ({ until: 0, refused: new Map() });

/** Notes what a failed commit says; false when it was no refusal of the data. */
export const suspect = (suspects: Suspects, error: unknown): boolean => {
  if (!(error instanceof CommitError) || !(error.cause instanceof DataRefusedError)) return false;
  if (error.events === 1) suspects.refused.set(error.position, error.cause.message);
  suspects.until = Math.max(suspects.until, error.position);
  return true;
};

/** As unreadable, where the tables have refused it. */
export const setAside = (item: LedgerItem, { refused }: Suspects): LedgerItem => {
  const reason = refused.get(item.position);
  if (reason === undefined) return item;
  return { unreadable: reason, position: item.position, tenant: isUnreadable(item) ? item.tenant : item.meta.tenant };
};
