import { type AlertRaisedData, formatPicos, NS_PER_SECOND, type PlaceholderValues, parseInstant, parsePicos } from '@bursar/contracts';
import { oneDigit } from '@bursar/contracts/folds';
import { nextSentence, recommendedActions } from './guidance.js';

/** Who spent most of a budget in its period: a dimension's value and its amount, decimal text of the budget's currency. */
export type Driver = Readonly<{ name: string; amount: string; percent: string | null }>;

/** What a message may say of an alert, as plain text. `drivers`: asked when it is sent, for they are no part of the alert. */
export const valuesOf = (tenant: string, alert: AlertRaisedData, drivers: readonly Driver[]): PlaceholderValues => {
  const { details, at } = alert;
  const {
    currency,
    currentSpend,
    limit,
    percentUsed,
    blockPoint,
    periodStart,
    periodEnd,
    timezone,
    override,
    reset,
    refused,
    unpriced,
    report,
  } = details;
  const zone = timezone ?? 'UTC';
  const inCurrency = (amount: string | null | undefined): string => (amount == null ? '' : `${money(amount)} ${currency ?? ''}`.trim());
  const days = periodEnd === null ? null : daysUntil(periodEnd, at);
  const endDate = periodEnd === null ? '' : dateIn(zone, periodEnd);
  const isOnce = details.oneOff === true;
  return {
    tenant,
    budget: alert.budgetName ?? 'no budget',
    budgetId: alert.budgetId ?? '',
    scope: alert.scope ?? `tenant:${tenant}`,
    event: alert.event,
    type: alert.type,
    severity: alert.severity,
    message: alert.message,
    currency: currency ?? '',
    spend: inCurrency(currentSpend),
    limit: currentSpend !== null && limit === null ? 'unlimited' : inCurrency(limit),
    remaining: currentSpend === null || limit === null ? '' : inCurrency(formatPicos(parsePicos(limit) - parsePicos(currentSpend))),
    percentUsed: percentUsed === null ? '' : `${oneDigit(percentUsed)}%`,
    threshold: details.percent === undefined ? inCurrency(details.threshold?.replace('amount:', '')) : `${details.percent}%`,
    blockPoint: inCurrency(blockPoint),
    periodStart: periodStart === null ? '' : dateIn(zone, periodStart),
    periodEnd: endDate,
    resets: days === null ? '' : resetsText(days, endDate, isOnce),
    resetDate: isOnce ? '' : endDate,
    daysUntilReset: days === null || isOnce ? '' : String(days),
    next: nextSentence(alert),
    actions: recommendedActions(alert).join('. '),
    drivers: drivers
      .map(({ name, amount, percent }) => `${name} ${inCurrency(amount)}${percent === null ? '' : ` (${percent}%)`}`)
      .join(', '),
    report: report === undefined ? '' : reportText(report, inCurrency),
    reason: details.reason ?? '',
    by: details.by ?? '',
    overrideAmount: override?.amount == null ? '' : `${money(override.amount.amount)} ${override.amount.currency}`,
    overrideExpires: override?.expiresAt == null ? '' : momentIn(zone, override.expiresAt),
    previousLimit: inCurrency(reset?.previousLimit),
    previousSpend: inCurrency(reset?.previousSpend ?? report?.previousSpend),
    newLimit: inCurrency(reset?.newLimit),
    // What has no price has no amount: what it was asked for, then.
    refusedAmount:
      refused === undefined ? (unpriced?.units.join(', ') ?? '') : `${money(refused.amount.amount)} ${refused.amount.currency}`,
    refusedReason: (refused ?? unpriced)?.code.replaceAll('_', ' ') ?? '',
  };
};

/** Two fraction digits at least, and every further one that is not zero. */
export const money = (amount: string): string => {
  const [whole = '0', fraction = ''] = formatPicos(parsePicos(amount)).split('.');
  return `${whole}.${fraction.padEnd(2, '0')}`;
};

const NS_PER_DAY = 86_400n * NS_PER_SECOND;
/** Begun days count whole, as in a status. */
const daysUntil = (end: string, at: string): number => {
  const left = parseInstant(end) - parseInstant(at);
  return left <= 0n ? 0 : Number((left + NS_PER_DAY - 1n) / NS_PER_DAY);
};

/** `resets in 15 days (2025-11-21)`, the date in the budget's zone; a one-off budget `ends`. */
const resetsText = (days: number, date: string, isOnce: boolean): string => {
  if (days === 0) return `period ended (${date})`;
  return `${isOnce ? 'ends' : 'resets'} in ${days} ${days === 1 ? 'day' : 'days'} (${date})`;
};

const partsIn = (timeZone: string, instant: string, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, ...options }).format(new Date(Number(parseInstant(instant) / 1_000_000n)));

/** `2025-11-21` */
const dateIn = (zone: string, instant: string): string => partsIn(zone, instant, { dateStyle: 'short' });

/** `2025-11-21 09:30 Europe/Berlin` */
const momentIn = (zone: string, instant: string): string => `${partsIn(zone, instant, { dateStyle: 'short', timeStyle: 'short' })} ${zone}`;

const reportText = (
  { events, failedEvents, failedSpend, rolledOver }: NonNullable<AlertRaisedData['details']['report']>,
  inCurrency: (amount: string) => string,
): string => {
  const lines = [`${events} usage events`];
  if (failedEvents > 0) lines.push(`${failedEvents} of them failed, at ${inCurrency(failedSpend)}`);
  const carried = parsePicos(rolledOver);
  if (carried > 0n) lines.push(`${inCurrency(rolledOver)} carried into the next period`);
  if (carried < 0n) lines.push(`${inCurrency(formatPicos(-carried))} owed by the next period`);
  return lines.join(', ');
};
