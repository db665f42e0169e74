import type { AlertRaisedData, EventOf, LedgerEvent } from '@bursar/contracts';
import type { BudgetState } from '@bursar/contracts/folds';
import type { Standing } from './figures.js';

const CAUSES = [
  'ThresholdCrossed',
  'ThresholdCleared',
  'BudgetPaused',
  'BudgetResumed',
  'OverrideGranted',
  'OverrideRevoked',
  'OverrideExpired',
  'BudgetReset',
  'BudgetExpired',
  'PeriodEnded',
  'PeriodStarted',
  'PeriodRestated',
  'UsageRefused',
] as const satisfies readonly LedgerEvent['type'][];
const IS_CAUSE: ReadonlySet<string> = new Set(CAUSES);

export type CauseType = (typeof CAUSES)[number];
/** An event that may raise an alert. */
export type Cause<T extends CauseType = CauseType> = EventOf<T>;
export const isCause = (event: LedgerEvent): event is Cause => IS_CAUSE.has(event.type);

/** What is done to a budget, and says nothing of what was spent. */
export type LifecycleCause = Cause<
  'BudgetPaused' | 'BudgetResumed' | 'OverrideGranted' | 'OverrideRevoked' | 'OverrideExpired' | 'BudgetReset' | 'BudgetExpired'
>;
const LIFECYCLE: ReadonlySet<string> = new Set([
  'BudgetPaused',
  'BudgetResumed',
  'OverrideGranted',
  'OverrideRevoked',
  'OverrideExpired',
  'BudgetReset',
  'BudgetExpired',
] satisfies LifecycleCause['type'][]);
export const isLifecycleCause = (cause: Cause): cause is LifecycleCause => LIFECYCLE.has(cause.type);

/**
 * The budget as it was at the cause's position (null: unknown), and for a lifecycle cause what was spent. `at`: since when it is so; a
 * crossing is told a moment after the usage that crossed, and is as old as that, wherever it is shown.
 */
export type Circumstances = Readonly<{ budget: BudgetState | null; standing: Standing | null; at: string }>;

/** What makes one alert different from another; the rest follows from its cause. */
export type AlertParts = Omit<AlertRaisedData, 'alertId' | 'source' | 'causePosition' | 'at'> & Readonly<{ alertId?: string }>;

export const raise = (cause: Cause, parts: AlertParts, at = cause.recordedAt): AlertRaisedData => ({
  alertId: cause.id,
  ...parts,
  source: 'bursar',
  causePosition: cause.position,
  at,
});
