import { type AlertDetails, type AlertRaisedData, formatInstant, parseInstant } from '@bursar/contracts';
import { spendSentence } from '@bursar/contracts/folds';
import { type Cause, type Circumstances, raise } from './cause.js';
import { toldFigures } from './figures.js';

type PeriodCause = Cause<'PeriodEnded' | 'PeriodStarted' | 'PeriodRestated'>;

/** A period's report, its restatement, and the notice of a new period. A budget's first one is no news: it is what the budget was made with. */
export const periodAlert = (cause: PeriodCause, { budget }: Circumstances): AlertRaisedData | null => {
  if (cause.type === 'PeriodStarted' && (budget === null || parseInstant(cause.data.periodStart) <= budget.createdAt)) return null;
  const { budgetId, budgetName, scope, currency, periodStart, periodEnd, limit } = cause.data;
  const [currentSpend, percentUsed] =
    cause.type === 'PeriodStarted' ? ['0', limit === null ? null : '0.00'] : [cause.data.spend, cause.data.percentUsed];
  const figures = toldFigures(
    { currency, currentSpend, limit, percentUsed, periodStart, periodEnd },
    budget,
    parseInstant(cause.recordedAt),
  );
  return raise(cause, {
    ...WHAT[cause.type],
    budgetId,
    budgetName,
    scope,
    message: messageOf(cause, figures),
    details: { ...figures, report: reportOf(cause) },
  });
};

const WHAT = {
  PeriodEnded: { event: 'period.ended', type: 'PERIOD_ENDED', severity: 'info' },
  PeriodStarted: { event: 'period.started', type: 'PERIOD_STARTED', severity: 'info' },
  PeriodRestated: { event: 'period.restated', type: 'PERIOD_RESTATED', severity: 'info' },
} as const;

const reportOf = ({ type, data }: PeriodCause): NonNullable<AlertDetails['report']> => {
  if (type === 'PeriodStarted') return { events: 0, failedSpend: '0', failedEvents: 0, rolledOver: data.rolledOver };
  const { events, failedSpend, failedEvents, rolledOver } = data;
  const figures = { events, failedSpend, failedEvents, rolledOver };
  if (type === 'PeriodEnded') return { ...figures, cause: data.cause };
  return { ...figures, restatement: data.restatement, previousSpend: data.previousSpend };
};

const messageOf = ({ type, data }: PeriodCause, figures: AlertDetails): string => {
  switch (type) {
    case 'PeriodEnded':
      return `Period ended: ${spendSentence(figures)}`;
    case 'PeriodStarted':
      return `New period: ${spendSentence(figures)}`;
    case 'PeriodRestated':
      return `Period of ${formatInstant(parseInstant(data.periodStart))} restated: ${spendSentence(figures)}, before ${data.previousSpend} ${data.currency}`;
  }
};
