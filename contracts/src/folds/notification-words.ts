import type { EventOf, LedgerEvent } from '../events/registry.js';

/** `html`: in place of what is made of `text`. */
export type MessageTemplate = NonNullable<EventOf<'NotificationTemplateSaved'>['data']['template']>;

/** Whose words: ours, or those of the tenant profile (PRODUCT D6 [T]). */
export type Profile = 'default' | 'tenant';

type Ours = Readonly<{ subject: string; text: string }>;

const WHERE = 'Budget: {{budget}} ({{scope}})';
const FIGURES = `Spend: {{spend}}
Limit: {{limit}}
Used: {{percentUsed}}
Remaining: {{remaining}}`;
const OUTLOOK = `Period: {{resets}}
Next step: {{next}}
Top drivers: {{drivers}}
Recommended: {{actions}}`;
const BY = `By: {{by}}
Reason: {{reason}}`;

const template = (subject: string, lead: string, ...more: readonly string[]): Ours => ({
  subject,
  text: [lead, '', WHERE, ...more, FIGURES, OUTLOOK].join('\n'),
});

const OVERRIDE = `Increase: {{overrideAmount}}
Until: {{overrideExpires}}`;

const OURS: Readonly<Record<string, Ours>> = {
  'threshold.crossed': template('[{{severity}}] {{budget}} at {{percentUsed}} of its limit', '{{message}}', 'Threshold: {{threshold}}'),
  'threshold.cleared': template('{{budget}} is back under {{threshold}}', '{{message}}'),
  'budget.paused': template('{{budget}} is paused', '{{message}}', BY),
  'budget.resumed': template('{{budget}} is resumed', '{{message}}', BY),
  'budget.reset': template(
    '{{budget}} was reset',
    '{{message}}',
    BY,
    'Spent before: {{previousSpend}}',
    'Limit before: {{previousLimit}}',
    'New limit: {{newLimit}}',
  ),
  'budget.expired': template('{{budget}} has expired', '{{message}}'),
  'override.granted': template('Override granted: {{budget}}', '{{message}}', OVERRIDE, BY),
  'override.revoked': template('Override revoked: {{budget}}', '{{message}}', BY),
  'override.expired': template('Override expired: {{budget}}', '{{message}}', OVERRIDE),
  'period.ended': template('Period report: {{budget}}, {{periodStart}} to {{periodEnd}}', '{{message}}', 'Report: {{report}}'),
  'period.started': template('New period: {{budget}}', '{{message}}', 'Report: {{report}}'),
  'period.restated': template(
    'Period restated: {{budget}}, {{periodStart}}',
    '{{message}}',
    'Said before: {{previousSpend}}',
    'Report: {{report}}',
  ),
  'call.blocked': template('Blocked by {{budget}}', '{{message}}', 'Refused: {{refusedAmount}}, {{refusedReason}}'),
};

const ANY: Ours = template('[{{severity}}] {{budget}}: {{event}}', '{{message}}');

/** Where the tenant profile has its own words; `LIMIT` and other types of one event may differ. */
const TENANT: Readonly<Record<string, Ours>> = {
  'threshold.crossed': template(
    'Budget Alert: {{threshold}} LLM Usage Reached',
    'You have reached {{threshold}} of your LLM budget. {{message}}',
  ),
  'threshold.crossed/LIMIT': template('CRITICAL: Budget Limit Reached', 'Your LLM budget limit is reached. {{message}}'),
  'budget.reset': template(
    'Budget Reset',
    'Your LLM budget was reset. {{message}}',
    BY,
    'Spent before: {{previousSpend}}',
    'New limit: {{newLimit}}',
  ),
  'period.started': template('Budget Reset', 'Your LLM budget starts a new period. {{message}}'),
  'override.granted': template('Temporary budget increase granted', '{{message}}', OVERRIDE, BY),
  'call.blocked': template(
    'Agent execution blocked due to budget limit',
    'An agent execution was blocked. {{message}}',
    'Refused: {{refusedAmount}}, {{refusedReason}}',
  ),
};

/** No budget is why: the tenant denies what has no price. */
const BLOCKED_BY_TENANT: Ours = {
  subject: '{{message}}',
  text: ['{{message}}', '', 'Scope: {{scope}}', 'Next step: {{next}}', 'Recommended: {{actions}}'].join('\n'),
};

/** Our words for an alert: the most particular there are. `isOfBudget`: a call that was blocked by no budget has its own. */
export const ourTemplate = (event: string, type: string, profile: Profile, isOfBudget = true): MessageTemplate => {
  if (event === 'call.blocked' && !isOfBudget) return BLOCKED_BY_TENANT;
  const particular = profile === 'tenant' ? (TENANT[`${event}/${type}`] ?? TENANT[event]) : undefined;
  return particular ?? OURS[event] ?? ANY;
};

/** The events that have words of their own. */
export const NOTIFICATION_EVENTS: readonly string[] = Object.keys(OURS);

/** A tenant's own words by event, from stream `tenant-<tenant>`. Folded in place; total; what a tenant took back is ours again. */
export class NotificationBook {
  readonly #templates = new Map<string, MessageTemplate>();

  apply(event: LedgerEvent): void {
    if (event.type !== 'NotificationTemplateSaved') return;
    if (event.data.template === null) this.#templates.delete(event.data.event);
    else this.#templates.set(event.data.event, event.data.template);
  }

  get(event: string): MessageTemplate | null {
    return this.#templates.get(event) ?? null;
  }
}
