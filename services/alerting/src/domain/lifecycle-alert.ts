import { type AlertDetails, type AlertRaisedData, parseInstant, parsePicos } from '@bursar/contracts';
import { type BudgetState, currentPeriod, percentUsed, spendSentence } from '@bursar/contracts/folds';
import { type Circumstances, type LifecycleCause, raise } from './cause.js';
import { figuresOf } from './figures.js';

/** What was done to a budget, by hand or by itself. Of a budget nobody knows nothing is said. */
export const lifecycleAlert = (cause: LifecycleCause, { budget, standing }: Circumstances): AlertRaisedData | null => {
  if (budget === null) return null;
  const now = parseInstant(cause.recordedAt);
  const figures = figuresOf(budget, standing ?? { period: currentPeriod(budget.definition, now), spend: 0n, carried: 0n }, now);
  const { details, ...what } = describe(cause, budget, figures);
  const { budgetId, definition } = budget;
  return raise(cause, { ...what, budgetId, budgetName: definition.name, scope: definition.scope, details: { ...figures, ...details } });
};

type What = Pick<AlertRaisedData, 'event' | 'type' | 'severity' | 'message'> & Readonly<{ details: Partial<AlertDetails> }>;

const describe = (cause: LifecycleCause, budget: BudgetState, figures: AlertDetails): What => {
  const by = cause.meta.actor ?? null;
  switch (cause.type) {
    case 'BudgetPaused': {
      const { automatic, reason } = cause.data;
      if (automatic === undefined) {
        const message = `Paused${reasonText(reason)}. ${spendSentence(figures)}`;
        return { event: 'budget.paused', type: 'PAUSED', severity: 'warning', message, details: { by, reason, automatic: false } };
      }
      const told = automaticFigures(automatic, figures);
      const message = `Paused by itself at its block point. ${spendSentence({ ...figures, ...told })}`;
      return { event: 'budget.paused', type: 'PAUSED', severity: 'critical', message, details: { ...told, reason, automatic: true } };
    }
    case 'BudgetResumed': {
      const { automatic, reason } = cause.data;
      if (automatic !== undefined) return automaticEnd(budget, reason);
      const message = `Resumed${reasonText(reason)}. ${spendSentence(figures)}`;
      return { event: 'budget.resumed', type: 'RESUMED', severity: 'info', message, details: { reason, automatic: false, by } };
    }
    case 'OverrideGranted': {
      const { overrideId, amount, enforcement, expiresAt, reason } = cause.data;
      const more = amount === null ? 'enforcement is off' : `${amount.amount} ${amount.currency} more`;
      const message = `Override granted: ${more} until ${expiresAt}${reasonText(reason)}. ${spendSentence(figures)}`;
      const details = { by, reason, override: { overrideId, amount, enforcement, expiresAt } };
      return { event: 'override.granted', type: 'OVERRIDE_GRANTED', severity: 'info', message, details };
    }
    case 'OverrideRevoked':
      return { ...over('revoked', cause.data.overrideId, null, figures), details: { by, ...overrideOf(cause.data.overrideId, null) } };
    case 'OverrideExpired':
      return over('expired', cause.data.overrideId, cause.data.expiresAt, figures);
    case 'BudgetReset': {
      const { reason, previousLimit, previousSpend, newLimit } = cause.data;
      const to = newLimit === null ? '' : `, new limit ${newLimit} ${budget.currency}`;
      const message = `Reset${reasonText(reason)}: ${previousSpend} ${budget.currency} had been spent${to}.`;
      const details = { by, reason, reset: { previousLimit, previousSpend, newLimit } };
      return { event: 'budget.reset', type: 'RESET', severity: 'info', message, details };
    }
    case 'BudgetExpired':
      return { event: 'budget.expired', type: 'EXPIRED', severity: 'info', message: `Expired. ${spendSentence(figures)}`, details: {} };
  }
};

const over = (how: 'revoked' | 'expired', overrideId: string, expiresAt: string | null, figures: AlertDetails): What => ({
  event: `override.${how}`,
  type: `OVERRIDE_${how.toUpperCase()}`,
  severity: 'info',
  message: `Override ${how}. ${spendSentence(figures)}`,
  details: overrideOf(overrideId, expiresAt),
});

const overrideOf = (overrideId: string, expiresAt: string | null): Pick<AlertDetails, 'override'> => ({
  override: { overrideId, amount: null, enforcement: null, expiresAt },
});

/** The period ended and its automatic pause with it. One by hand that lies over it survives (PRODUCT B8): then nothing is resumed. */
const automaticEnd = ({ controls: { pause } }: BudgetState, reason: string | null): What => {
  if (pause === null) {
    const message = 'Resumed: the period it was paused in has ended.';
    return { event: 'budget.resumed', type: 'RESUMED', severity: 'info', message, details: { reason, automatic: true } };
  }
  const message = `Still paused by hand${reasonText(pause.reason)}: the period that had paused it automatically has ended.`;
  const details = { by: pause.by, reason: pause.reason, automatic: false };
  return { event: 'budget.paused', type: 'PAUSED', severity: 'info', message, details };
};

type Automatic = NonNullable<Extract<LifecycleCause, { type: 'BudgetPaused' }>['data']['automatic']>;

/** An automatic pause tells what it was decided on. */
const automaticFigures = ({ periodStart, periodEnd, spend, blockPoint }: Automatic, { limit }: AlertDetails): Partial<AlertDetails> => ({
  periodStart,
  periodEnd,
  currentSpend: spend,
  percentUsed: percentUsed(parsePicos(spend), limit === null ? null : parsePicos(limit)),
  blockPoint,
});

const reasonText = (reason: string | null): string => (reason === null ? '' : ` (${reason})`);
