import type { AlertRaisedData } from '@bursar/contracts';

/** What enforcement does next: `At 95% (critical): notify, restrict-models.` Empty when nothing more is to come. */
export const nextSentence = ({ details, event }: AlertRaisedData): string => {
  const { next, currency } = details;
  if (isUnpriced(details)) return 'Such calls are refused until prices cover what they ask for.';
  if (event === 'call.blocked')
    return 'Calls are refused until spend is back under the block point, the limit is raised, or the period ends.';
  if (event === 'budget.paused') return `Calls are refused until it is resumed${details.automatic === true ? ', or its period ends' : ''}.`;
  if (next === null) return '';
  const at = next.percent === undefined ? `${next.amount} ${currency}` : `${next.percent}%`;
  if (next.kind === 'block') return `At ${at} calls are refused.`;
  if (next.kind === 'pause') return `At ${at} calls are refused and the budget pauses itself.`;
  return `At ${at} (${next.severity}): ${next.actions.join(', ')}.`;
};

const REVIEW = 'Review what drives the spend';
const RAISE = 'Raise the limit, or grant a temporary override';
const WAIT = 'Or wait for the reset';

/** Nothing begins anew after the only period of a one-off budget. */
const waiting = ({ oneOff }: AlertRaisedData['details']): readonly string[] => (oneOff === true ? [] : [WAIT]);

/** What a reader can do about it; empty where there is nothing to do. */
export const recommendedActions = ({ event, type, details, budgetId }: AlertRaisedData): readonly string[] => {
  switch (event) {
    case 'threshold.crossed':
      return type === 'LIMIT' ? [RAISE, REVIEW, ...waiting(details)] : [REVIEW, ...restrictions(details), RAISE];
    case 'call.blocked':
      return isUnpriced(details) ? pricing(details, budgetId) : [RAISE, ...waiting(details)];
    case 'budget.paused':
      return details.automatic === true
        ? [REVIEW, 'Resume the budget, or raise its limit', ...waiting(details)]
        : ['Resume the budget when it may be spent again'];
    case 'override.expired':
      return ['Grant another override if the need goes on'];
    case 'period.ended':
      return details.report?.cause === 'expired' ? [] : ['Compare the period with the one before, and adjust the limit'];
    default:
      return [];
  }
};

/** No limit and no reset cures it. */
const isUnpriced = ({ unpriced }: AlertRaisedData['details']): boolean => unpriced?.code === 'price_missing';

/** Without a budget it is the tenant's policy that refuses. */
const pricing = ({ unpriced }: AlertRaisedData['details'], budgetId: string | null): readonly string[] => [
  `Set prices for ${unpriced?.units.join(', ')}`,
  ...(budgetId === null ? ['Or let the tenant allow what has no price (unpricedPolicy)'] : []),
];

const restrictions = ({ actions = [], allowedModels, downgrade }: AlertRaisedData['details']): readonly string[] => [
  ...(actions.includes('restrict-models') && allowedModels !== undefined
    ? [`Use ${allowedModels.join(', ')}: other models are refused`]
    : []),
  ...(actions.includes('auto-downgrade') && downgrade !== undefined
    ? [
        `Expect cheaper models: ${Object.entries(downgrade)
          .map(([from, to]) => `${from} → ${to}`)
          .join(', ')}`,
      ]
    : []),
];
