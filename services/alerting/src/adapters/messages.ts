import type { AlertRaisedData } from '@bursar/contracts';
import type { AlertPreferences } from '@bursar/database';
import type { Message } from '../domain/delivery/summary.js';
import { renderMessage } from '../domain/messages/render-message.js';
import { Messages } from '../features/delivery/ports.js';
import type { SqlDrivers } from './sql/sql-drivers.js';

/** The words of an alert by the tenant's profile and templates, with what spent most by the time they are written. */
export class TemplateMessages extends Messages {
  constructor(private readonly drivers: Pick<SqlDrivers, 'of'>) {
    super();
  }

  async of(tenant: string, alert: AlertRaisedData, { profile, templates }: AlertPreferences): Promise<Message> {
    const options = {
      tenant,
      template: templates[alert.event] ?? null,
      profile: profile === 'tenant' ? profile : ('default' as const),
      drivers: await this.drivers.of(tenant, alert),
    };
    return { ...renderMessage(alert, 'html', options), slack: renderMessage(alert, 'slack', options) };
  }
}
