import {
  type AlertDetails,
  type AlertRaisedData,
  derivedId,
  formatInstant,
  NS_PER_SECOND,
  parseInstant,
  parsePicos,
} from '@bursar/contracts';
import { currentPeriod, percentUsed, spendSentence } from '@bursar/contracts/folds';
import { type Cause, type Circumstances, raise } from './cause.js';
import { toldFigures } from './figures.js';

/** Refusals by one budget, for one reason, raise one notice in so long (PRODUCT C4). */
const WINDOW = 3_600n * NS_PER_SECOND;

/** The first refusal of a window raises the alert; each further one derives the same id, and so raises none. */
export const blockedAlert = (cause: Cause<'UsageRefused'>, { budget }: Circumstances): AlertRaisedData => {
  const { data, meta, recordedAt } = cause;
  const { budgetId, budgetName, code, amount, scopes } = data;
  const scope = data.scope ?? scopes[0] ?? null;
  const window = parseInstant(data.refusedAt) / WINDOW;
  const currentSpend = data.currentSpend?.amount ?? null;
  const limit = data.limit?.amount ?? null;
  const period = budget === null ? null : currentPeriod(budget.definition, parseInstant(data.refusedAt));
  const told = {
    currency: data.currentSpend?.currency ?? data.limit?.currency ?? amount?.currency ?? null,
    currentSpend,
    limit,
    percentUsed: currentSpend === null || limit === null ? null : percentUsed(parsePicos(currentSpend), parsePicos(limit)),
    periodStart: data.periodStart,
    periodEnd: period === null ? null : formatInstant(period.end),
  };
  const figures = toldFigures(told, budget, parseInstant(recordedAt));
  const spent = currentSpend === null ? '' : `. ${spendSentence(figures)}${heldText(data)}`;
  return raise(cause, {
    alertId: derivedId('blocked', meta.tenant, budgetId ?? '', scope ?? '', code, String(window)),
    event: 'call.blocked',
    type: 'BLOCKED',
    severity: 'critical',
    budgetId,
    budgetName,
    scope,
    message: `Blocked: ${whatText(data)}${spent}`,
    details: { ...figures, ...refusedDetails(data) },
  });
};

const refusedDetails = ({
  code,
  amount,
  unpriced = [],
  scopes,
  category,
}: Cause<'UsageRefused'>['data']): Pick<AlertDetails, 'refused' | 'unpriced'> => {
  const asked = { code, scopes: [...scopes], ...(category !== undefined && { category }) };
  return amount === null ? { unpriced: { ...asked, units: [...unpriced] } } : { refused: { ...asked, amount } };
};

/** Else a budget that others hold all of would seem to refuse what it has room for. */
const heldText = ({ reserved }: Cause<'UsageRefused'>['data']): string =>
  reserved === null || reserved.amount === '0' ? '' : `, ${reserved.amount} ${reserved.currency} reserved`;

const whatText = ({ code, amount, unpriced = [] }: Cause<'UsageRefused'>['data']): string => {
  const units = unpriced.join(', ');
  if (code === 'price_missing') return `no price covers ${units}`;
  return `${amount === null ? units : `${amount.amount} ${amount.currency}`} refused, ${code.replaceAll('_', ' ')}`;
};
