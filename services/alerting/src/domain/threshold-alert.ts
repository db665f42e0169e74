import { type AlertRaisedData, type CrossingData, parseInstant } from '@bursar/contracts';
import { crossingAlert, spendSentence } from '@bursar/contracts/folds';
import { type Cause, type Circumstances, raise } from './cause.js';
import { toldFigures } from './figures.js';

/** One per crossing, and one when it is over: the projector says each once (armed and crossed, by episodes), whatever happens to spend. */
export const thresholdAlert = (cause: Cause<'ThresholdCrossed' | 'ThresholdCleared'>, { budget, at }: Circumstances): AlertRaisedData => {
  const { id, data, recordedAt } = cause;
  const alert = crossingAlert(id, data, recordedAt);
  const details = { ...alert.details, ...toldFigures(alert.details, budget, parseInstant(recordedAt)) };
  if (cause.type === 'ThresholdCrossed') return raise(cause, { ...alert, details }, at);
  return raise(cause, {
    ...alert,
    event: 'threshold.cleared',
    type: 'CLEARED',
    severity: 'info',
    message: clearedMessage(data),
    details,
  });
};

/** `Cleared: back under 80%. Budget at 70.0% (700.0/1000.0 EUR)` */
const clearedMessage = (data: CrossingData): string => {
  const { percent, amount } = data.definition;
  const bound = percent === undefined ? `${amount} ${data.currency}` : `${percent}%`;
  return `Cleared: back under ${bound}. ${spendSentence({ ...data, currentSpend: data.spend })}`;
};
