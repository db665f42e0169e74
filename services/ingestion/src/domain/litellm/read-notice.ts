import { isTenantId, MAX_EVENT_PICOS, readReportedAmount, reportedText } from '@bursar/contracts';
import { type Fields, labelOf, own } from './fields.js';
import { scopesOfNotice } from './proxy-scopes.js';
import { LITELLM_SOURCE } from './read-record.js';

/** LiteLLM's name of what happened; `unknown` where it has none. Any other than the known ones is kept without effect. */
export const eventOfNotice = (body: Fields): string => labelOf(own(body, 'event'), 64) ?? 'unknown';

const WITH_EFFECT: ReadonlySet<string> = new Set([
  ...['spend_tracked', 'threshold_crossed', 'budget_crossed', 'soft_budget_crossed', 'projected_limit_exceeded'],
]);
export const hasEffect = (event: string): boolean => WITH_EFFECT.has(event);

/** Whom an installation's own secret speaks for: the notice's `user_id` is the tenant (PRODUCT A11); null where it names nobody. */
export const tenantOfNotice = (body: Fields): string | null => {
  const user = own(body, 'user_id');
  return isTenantId(user) && user !== 'default_user_id' ? user : null;
};

/**
 * The usage that a `spend_tracked` reports: the cost of one call. `id` names the notice. null: it reports no amount that could be counted,
 * which is said by the record in quarantine.
 */
export const usageOfNotice = (body: Fields, id: string): Fields | null => {
  const cost = readReportedAmount(own(body, 'spend'));
  if (cost === null || cost === 'not_a_number' || cost.isNegative || cost.picos > MAX_EVENT_PICOS) return null;
  return {
    id,
    source: `${LITELLM_SOURCE}/webhook`,
    scopes: scopesOfNotice(body),
    meter: 'llm.calls',
    cost: { amount: reportedText(cost), currency: 'USD' },
    metadata: { litellm: { spend: cost.original, ...(cost.isRounded && { rounded: true }) } },
  };
};
