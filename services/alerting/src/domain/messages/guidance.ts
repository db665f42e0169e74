import type { AlertRaisedData } from '@bursar/contracts';

/** What enforcement does next: `At 95% (critical): notify, restrict-models.` Empty when nothing more is to come. */
export const nextSentence = ({ details, event }: AlertRaisedData): string => {
  const { next, currency } = details;
  if (isUnpriced(details)) return 'Such calls are refused until prices cover what they ask for.';
  if (event === 'call.blocked') return cureOf(details).until;
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
      return isUnpriced(details) ? pricing(details, budgetId) : cureOf(details).actions(details);
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

type Details = AlertRaisedData['details'];
/** How long calls are refused for one reason, and what ends it. */
type Cure = Readonly<{ until: string; actions: (details: Details) => readonly string[] }>;

const RAISED: Cure = {
  until: 'Calls are refused until spend is back under the block point, the limit is raised, or the period ends.',
  actions: (details) => [RAISE, ...waiting(details)],
};

/** By `code` of the refusal: what a limit or a reset does not cure. */
const CURES: Readonly<Record<string, Cure>> = {
  budget_paused: {
    until: 'Calls are refused until the budget is resumed; a pause by its own breaker ends with its period too.',
    actions: () => [REVIEW, 'Resume the budget when it may be spent again'],
  },
  rate_missing: {
    until: 'Such calls are refused until an exchange rate covers their currency.',
    actions: ({ refused, currency }) => [
      `Set an exchange rate${currency === null ? '' : ` from ${refused?.amount.currency} to ${currency}`}`,
    ],
  },
  model_not_allowed: {
    until:
      'Calls of other models than the budget allows are refused until spend is back under the threshold, the limit is raised, or the period ends.',
    actions: (details) => ['Use one of the models that the budget allows', RAISE, ...waiting(details)],
  },
  approval_required: {
    until: 'Calls are refused until they are approved, spend is back under the threshold, the limit is raised, or the period ends.',
    actions: (details) => [RAISE, ...waiting(details)],
  },
  budget_incomplete: {
    until: 'Calls are refused until every event of the budget is counted.',
    actions: () => ['Have an operator look at what could not be counted (./scripts/doctor)'],
  },
};

/** Of what has no price, and is refused for another reason, the code stands there. */
const cureOf = ({ refused, unpriced }: Details): Cure => CURES[(refused ?? unpriced)?.code ?? ''] ?? RAISED;

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
