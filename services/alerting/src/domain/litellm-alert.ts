import {
  type AlertRaisedData,
  derivedId,
  type EpochNs,
  type EventOf,
  formatInstant,
  NS_PER_SECOND,
  parseInstant,
  readReportedAmount,
  readScope,
  reportedText,
} from '@bursar/contracts';
import { type BudgetState, currentPeriod, percentUsed, spendSentence } from '@bursar/contracts/folds';
import { toldFigures } from './figures.js';

export type LitellmNotice = EventOf<'LiteLlmNotified'>;
export const isLitellmNotice = (event: { type: string }): event is LitellmNotice => event.type === 'LiteLlmNotified';

/** What a notice is about, as the ledger had it at its position. */
export type NoticeContext = Readonly<{
  /** Ours of the scope that the notice is of; null: we have none there. */
  budget: BudgetState | null;
  /** That budget's own thresholds had said as much in this period already. */
  isSaid: boolean;
}>;

/** PRODUCT A11: which alert each of LiteLLM's events is; any other has no effect. */
const ALERTS = {
  threshold_crossed: { type: 'WARNING', severity: 'warning', word: 'Warning' },
  soft_budget_crossed: { type: 'WARNING', severity: 'warning', word: 'Warning' },
  budget_crossed: { type: 'CRITICAL', severity: 'critical', word: 'Critical' },
  projected_limit_exceeded: { type: 'FORECAST', severity: 'warning', word: 'Forecast' },
} as const;
type Told = keyof typeof ALERTS;

const toldBy = (event: string): (typeof ALERTS)[Told] | null => (Object.hasOwn(ALERTS, event) ? ALERTS[event as Told] : null);

/** Most notices tell of spend, or of nothing that concerns us. */
export const raisesAlert = ({ data }: LitellmNotice): boolean => toldBy(data.event) !== null;

/** By `event_group`: whose budget at LiteLLM it is. Of others, whoever is named first. */
const FIELDS: Readonly<Record<string, readonly [type: string, field: string]>> = {
  organization: ['organization', 'organization_id'],
  team: ['team', 'team_id'],
  team_member: ['user', 'user_id'],
  user: ['user', 'user_id'],
  internal_user: ['user', 'user_id'],
  customer: ['customer', 'customer_id'],
  end_user: ['customer', 'customer_id'],
  key: ['key', 'token'],
};

/** The scope that a notice is about; null: it names nobody. */
export const scopeOfNotice = ({ data: { body } }: LitellmNotice): string | null => {
  const named = FIELDS[String(body.event_group)];
  for (const [type, field] of [...(named === undefined ? [] : [named]), ...Object.values(FIELDS)]) {
    const scope = typeof body[field] === 'string' ? readScope(`${type}:${body[field]}`) : null;
    if (scope !== null) return scope;
  }
  return null;
};

/** How grave an alert of ours has to be to have said the same; null: it says nothing that ours say. */
export const severityOfNotice = ({ data }: LitellmNotice): 'warning' | 'critical' | null => {
  const told = toldBy(data.event);
  return told === null || told.type === 'FORECAST' ? null : told.severity;
};

/**
 * The alert that a notice is: one per budget (or whoever is named), period and kind, however often LiteLLM says it; none where the
 * budget's own thresholds have said it. Figures are LiteLLM's, in USD.
 */
export const litellmAlert = (notice: LitellmNotice, { budget, isSaid }: NoticeContext): AlertRaisedData | null => {
  const { data, meta, position, recordedAt } = notice;
  const told = toldBy(data.event);
  if (told === null || isSaid) return null;
  const now = parseInstant(recordedAt);
  const scope = scopeOfNotice(notice);
  const period = budget === null ? null : currentPeriod(budget.definition, now);
  const [currentSpend, limit] = [amountOf(data.body.spend), amountOf(data.body.max_budget)];
  const figures = toldFigures(
    {
      currency: 'USD',
      currentSpend: currentSpend === null ? null : reportedText(currentSpend),
      limit: limit === null ? null : reportedText(limit),
      percentUsed: currentSpend === null || limit === null ? null : percentUsed(currentSpend.picos, limit.picos),
      periodStart: period === null ? null : formatInstant(period.start),
      periodEnd: period === null ? null : formatInstant(period.end),
    },
    budget?.currency === 'USD' ? budget : null,
    now,
  );
  const day = formatInstant(startOfDay(now));
  return {
    alertId: derivedId('litellm-alert', meta.tenant, budget?.budgetId ?? scope ?? '', figures.periodStart ?? day, data.event),
    event: `litellm.${data.event}`,
    type: told.type,
    severity: told.severity,
    budgetId: budget?.budgetId ?? null,
    budgetName: budget?.definition.name ?? null,
    scope: budget?.definition.scope ?? scope,
    message: `${told.word} of LiteLLM: ${outlook(data.body) ?? spendSentence(figures)}`,
    details: figures,
    source: 'litellm',
    causePosition: position,
    at: recordedAt,
  };
};

const amountOf = (value: unknown): Exclude<ReturnType<typeof readReportedAmount>, 'not_a_number'> => {
  const amount = readReportedAmount(value);
  return amount === 'not_a_number' || amount?.isNegative === true ? null : amount;
};

/** Its dates are not ISO, and one published sample misspells the name: both are told as they came. */
const outlook = (body: LitellmNotice['data']['body']): string | null => {
  const when = body.projected_exceeded_date ?? body.projected_exceeded_data;
  const spend = amountOf(body.projected_spend);
  if (typeof when !== 'string' && spend === null) return null;
  return `projected${spend === null ? '' : ` to spend ${reportedText(spend)} USD`}${typeof when === 'string' ? `, over its limit on ${when}` : ''}`;
};

const DAY = 86_400n * NS_PER_SECOND;
/** Where no budget of ours says what a period is, LiteLLM's own repeat suppression does: a day. */
const startOfDay = (now: EpochNs): EpochNs => (now / DAY) * DAY;
