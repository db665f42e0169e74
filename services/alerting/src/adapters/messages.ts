import type { AlertRaisedData } from '@bursar/contracts';
import type { AlertPreferences } from '@bursar/database';
import type { Message } from '../domain/delivery/summary.js';
import { renderMessage } from '../domain/messages/render-message.js';
import { Messages } from '../features/delivery/ports.js';

/** The words of an alert by the tenant's profile and templates. */
export class TemplateMessages extends Messages {
  async of(tenant: string, alert: AlertRaisedData, { profile, templates }: AlertPreferences): Promise<Message> {
    const options = { tenant, template: templates[alert.event] ?? null, profile: profile === 'tenant' ? profile : ('default' as const) };
    return { ...renderMessage(alert, 'html', options), slack: renderMessage(alert, 'slack', options) };
  }
}
