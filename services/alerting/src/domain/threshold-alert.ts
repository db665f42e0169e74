import { type AlertRaisedData, type CrossingData, parseInstant } from '@bursar/contracts';
import { spendSentence, thresholdAlertType, thresholdMessage } from '@bursar/contracts/folds';
import { type Cause, type Circumstances, raise } from './cause.js';
import { toldFigures } from './figures.js';

/** One per crossing, and one when it is over: the projector says each once (armed and crossed, by episodes), whatever happens to spend. */
export const thresholdAlert = (cause: Cause<'ThresholdCrossed' | 'ThresholdCleared'>, { budget }: Circumstances): AlertRaisedData => {
  const { data, recordedAt } = cause;
  const { definition, threshold, episode } = data;
  const crossed = cause.type === 'ThresholdCrossed';
  const { budgetId, budgetName, scope } = data;
  return raise(cause, {
    event: crossed ? 'threshold.crossed' : 'threshold.cleared',
    type: crossed ? thresholdAlertType(data) : 'CLEARED',
    severity: crossed ? definition.severity : 'info',
    budgetId,
    budgetName,
    scope,
    message: crossed ? thresholdMessage(data) : clearedMessage(data),
    details: {
      ...toldFigures({ ...data, currentSpend: data.spend }, budget, parseInstant(recordedAt)),
      threshold,
      episode,
      actions: definition.actions,
      ...(definition.percent !== undefined && { percent: definition.percent }),
      ...(definition.allowedModels !== undefined && { allowedModels: definition.allowedModels }),
      ...(definition.downgrade !== undefined && { downgrade: definition.downgrade }),
    },
    channels: definition.channels,
  });
};

/** `Cleared: Budget back under 80% (650.5/1000.0 EUR)`, said with the percentage it is at now. */
const clearedMessage = (data: CrossingData): string => {
  const { percent, amount } = data.definition;
  const bound = percent === undefined ? `${amount} ${data.currency}` : `${percent}%`;
  return `Cleared: back under ${bound}. ${spendSentence({ ...data, currentSpend: data.spend })}`;
};
