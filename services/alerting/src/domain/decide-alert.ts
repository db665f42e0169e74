import type { AlertRaisedData } from '@bursar/contracts';
import { blockedAlert } from './blocked-alert.js';
import type { Cause, Circumstances } from './cause.js';
import { lifecycleAlert } from './lifecycle-alert.js';
import { periodAlert } from './period-alert.js';
import { thresholdAlert } from './threshold-alert.js';

/**
 * Which alert an event raises; null: none. Pure, so a replay of the ledger raises the same set under the same ids. Whether there is one,
 * its id and its type depend on the ledger alone; only what was spent is told by the projection, for causes that do not tell it.
 */
export const decideAlert = (cause: Cause, circumstances: Circumstances): AlertRaisedData | null => {
  switch (cause.type) {
    case 'ThresholdCrossed':
    case 'ThresholdCleared':
      return thresholdAlert(cause, circumstances);
    case 'PeriodEnded':
    case 'PeriodStarted':
    case 'PeriodRestated':
      return periodAlert(cause, circumstances);
    case 'UsageRefused':
      return blockedAlert(cause, circumstances);
    case 'BudgetPaused':
    case 'BudgetResumed':
    case 'OverrideGranted':
    case 'OverrideRevoked':
    case 'OverrideExpired':
    case 'BudgetReset':
    case 'BudgetExpired':
      return lifecycleAlert(cause, circumstances);
  }
};
