import type { AlertDetails, AlertRaisedData, NextStep } from '../events/alert.js';
import type { CrossingData } from '../events/balance.js';
import type { BudgetDefinition, ThresholdDefinition } from '../events/budget.js';
import type { EpochNs } from '../values/instant.js';
import { formatPicos, parsePicos } from '../values/money.js';
import { type BudgetControls, isEnforcementOff } from './budget-controls.js';
import { compareThresholds, isReached } from './thresholds.js';

export type ThresholdAlertType = 'INFO' | 'WARNING' | 'CRITICAL' | 'LIMIT';

/** A threshold's alert takes its severity; from 100 % of the limit on it is LIMIT. */
export const thresholdAlertType = ({ definition, limit }: Pick<CrossingData, 'definition' | 'limit'>): ThresholdAlertType => {
  const reachesLimit =
    definition.percent === undefined
      ? limit !== null && definition.amount !== undefined && parsePicos(definition.amount) >= parsePicos(limit)
      : Number(definition.percent) >= 100;
  return reachesLimit ? 'LIMIT' : TYPES[definition.severity];
};

const TYPES = { info: 'INFO', warning: 'WARNING', critical: 'CRITICAL' } as const;
const WORDS: Readonly<Record<ThresholdAlertType, string>> = {
  INFO: 'Info',
  WARNING: 'Warning',
  CRITICAL: 'Critical',
  LIMIT: 'Limit reached',
};

/** `Warning: Budget at 65.1% (650.5/1000.0 EUR)`. */
export const thresholdMessage = (data: CrossingData): string =>
  `${WORDS[thresholdAlertType(data)]}: ${spendSentence({ ...data, currentSpend: data.spend })}`;

/** The alert that a crossing is, as far as the crossing alone says. `at`: when it was decided. */
export const crossingAlert = (alertId: string, data: CrossingData, at: string): AlertRaisedData => {
  const { budgetId, budgetName, scope, definition, threshold, episode, currency, spend, limit, percentUsed, periodStart, periodEnd } = data;
  return {
    alertId,
    event: 'threshold.crossed',
    type: thresholdAlertType(data),
    severity: definition.severity,
    budgetId,
    budgetName,
    scope,
    message: thresholdMessage(data),
    details: {
      currency,
      currentSpend: spend,
      limit,
      percentUsed,
      periodStart,
      periodEnd,
      timezone: null,
      blockPoint: null,
      next: null,
      threshold,
      episode,
      actions: definition.actions,
      ...(definition.percent !== undefined && { percent: definition.percent }),
      ...(definition.allowedModels !== undefined && { allowedModels: definition.allowedModels }),
      ...(definition.downgrade !== undefined && { downgrade: definition.downgrade }),
    },
    ...(definition.channels !== undefined && { channels: definition.channels }),
    source: 'bursar',
    causePosition: data.causePosition,
    at,
  };
};

type Figures = Pick<AlertDetails, 'currency' | 'currentSpend' | 'limit' | 'percentUsed'>;

/** `Budget at 65.1% (650.5/1000.0 EUR)`; without a limit there is no percentage to say. */
export const spendSentence = ({ currency, currentSpend, limit, percentUsed }: Figures): string => {
  const spend = withFraction(currentSpend ?? '0');
  if (limit === null) return `Budget at ${spend} ${currency}`;
  const amounts = `(${spend}/${withFraction(limit)} ${currency})`;
  return percentUsed === null ? `Budget over its limit ${amounts}` : `Budget at ${oneDigit(percentUsed)}% ${amounts}`;
};

/** `1000` as people write it beside `650.5`: with one fraction digit at least. */
const withFraction = (amount: string): string => {
  const text = formatPicos(parsePicos(amount));
  return text.includes('.') ? text : `${text}.0`;
};

/** Two digits to one, half up: 65.05 is 65.1. */
export const oneDigit = (percent: string): string => {
  const hundredths = parsePicos(percent) / 10n ** 10n;
  const tenths = (hundredths + 5n) / 10n;
  return `${tenths / 10n}.${tenths % 10n}`;
};

/** What happens next as spend grows: the lowest threshold not reached, or the block point where calls are refused; null: nothing more. */
export const nextStep = (
  definition: BudgetDefinition,
  controls: BudgetControls,
  spend: bigint,
  limit: bigint | null,
  now: EpochNs,
): NextStep | null => {
  const ahead = definition.thresholds.filter((threshold) => !isReached(threshold, spend, limit));
  const { mode, blockAtPercent, autoPause } = definition.enforcement;
  const block: ThresholdDefinition = { percent: String(blockAtPercent), severity: 'critical', actions: [] };
  const blocks = mode === 'block' && limit !== null && !isEnforcementOff(controls, now) && !isReached(block, spend, limit);
  const [first] = [...ahead, ...(blocks ? [block] : [])].sort((a, b) => compareThresholds(a, b, limit));
  if (first === undefined) return null;
  if (first === block) return { kind: autoPause ? 'pause' : 'block', percent: String(blockAtPercent), actions: [] };
  const { percent, amount, severity, actions } = first;
  return { kind: 'threshold', ...(percent !== undefined && { percent }), ...(amount !== undefined && { amount }), severity, actions };
};

/** Who acknowledged an alert, and when. */
export type Acknowledgement = Readonly<{ by: string | null; at: string }>;

/** An alert in the shape of API.md "Alerts". Amounts are decimal strings, instants RFC 3339, UTC. */
export type AlertView = Readonly<{
  id: string;
  budgetId: string | null;
  budgetName: string | null;
  scope: string | null;
  /** As subscribers choose by it: `threshold.crossed`, `budget.paused`, … */
  event: string;
  type: string;
  severity: AlertRaisedData['severity'];
  /** The threshold's own number; absent for one by amount, and for all that is no threshold's. */
  percent?: number;
  percentUsed: string | null;
  currentSpend: string | null;
  limit: string | null;
  currency: string | null;
  message: string;
  actions: string[];
  acknowledged: boolean;
  acknowledgedBy: string | null;
  acknowledgedAt: string | null;
  periodStart: string | null;
  periodEnd: string | null;
  createdAt: string;
  /** Of a crossing: when spend was back under; null: it stands. */
  clearedAt: string | null;
  suppressed: boolean;
  source: string;
  /** Its number among the tenant's alerts, gap-free from 0; null until it is raised. */
  revision: number | null;
  /** `<partition>:<position>` of its event in the ledger; null for the moment between the decision and its being told there. */
  position: string | null;
}>;

type Known = Readonly<{
  position: string | null;
  revision: number | null;
  acknowledgement?: Acknowledgement | null;
  clearedAt?: string | null;
  suppressed?: boolean;
}>;

export const showAlert = (data: AlertRaisedData, known: Known): AlertView => {
  const { position, revision, acknowledgement = null, clearedAt = null, suppressed = false } = known;
  const { alertId, budgetId, budgetName, scope, event, type, severity, message, source, at } = data;
  const { percent, percentUsed, currentSpend, limit, currency, actions, periodStart, periodEnd } = data.details;
  return {
    id: alertId,
    budgetId,
    budgetName,
    scope,
    event,
    type,
    severity,
    ...(percent !== undefined && { percent: Number(percent) }),
    percentUsed,
    currentSpend,
    limit,
    currency,
    message,
    actions: actions ?? [],
    acknowledged: acknowledgement !== null,
    acknowledgedBy: acknowledgement?.by ?? null,
    acknowledgedAt: acknowledgement?.at ?? null,
    periodStart,
    periodEnd,
    createdAt: at,
    clearedAt,
    suppressed,
    source,
    revision,
    position,
  };
};
