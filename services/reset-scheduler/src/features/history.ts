import type { EpochNs } from '@bursar/contracts';
import type { BudgetThen } from '../domain/view.js';
import type { BudgetVersion } from './ledger.js';

/** The last version recorded before the instant; null: there is none. */
export const historyBefore = (versions: readonly BudgetVersion[], instant: EpochNs): BudgetThen | null =>
  versions.findLast(({ at }) => at < instant)?.state ?? null;

export const firstOf = (versions: readonly BudgetVersion[]): BudgetThen | null => versions[0]?.state ?? null;
