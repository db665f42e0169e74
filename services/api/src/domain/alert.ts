import type { CrossingData } from '@bursar/contracts';
import { type ThresholdAlertType, thresholdAlertType, thresholdMessage } from '@bursar/contracts/folds';

/** One crossing in the shape of API.md "Alerts". Amounts are decimal strings, instants RFC 3339, UTC. */
export type Alert = Readonly<{
  id: string;
  budgetId: string;
  type: ThresholdAlertType;
  severity: CrossingData['definition']['severity'];
  /** The threshold's own number; absent for one by amount. */
  percent?: number;
  percentUsed: string | null;
  currentSpend: string;
  limit: string | null;
  message: string;
  acknowledged: boolean;
  acknowledgedBy: string | null;
  acknowledgedAt: string | null;
  periodStart: string;
  createdAt: string;
  suppressed: boolean;
  /** Of its event in the ledger; null for the moment between the decision and its being told there. */
  position: string | null;
}>;

export const toAlert = (id: string, data: CrossingData, createdAt: string, position: string | null): Alert => ({
  id,
  budgetId: data.budgetId,
  type: thresholdAlertType(data),
  severity: data.definition.severity,
  ...(data.definition.percent === undefined ? {} : { percent: Number(data.definition.percent) }),
  percentUsed: data.percentUsed,
  currentSpend: data.spend,
  limit: data.limit,
  message: thresholdMessage(data),
  acknowledged: false,
  acknowledgedBy: null,
  acknowledgedAt: null,
  periodStart: data.periodStart,
  createdAt,
  suppressed: false,
  position,
});
