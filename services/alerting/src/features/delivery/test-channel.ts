import { randomUUID } from 'node:crypto';
import type { AlertRaisedData, StoredChannel } from '@bursar/contracts';
import type { SendOutcome } from '../../domain/delivery/settle.js';
import type { Deliveries, LedgerChannels, Messages, Senders } from './ports.js';

/** Whoever asked waits for the answer, 10 s at most. */
const TIMEOUT_MS = 6_000;

export type TestResult = Readonly<{
  outcome: SendOutcome['outcome'] | 'not_configured';
  status: number | null;
  durationMs: number;
  detail: string | null;
}>;

/** POST /channels/:id/test: one attempt of a message that says what it is, whatever the channel filters. Nothing is kept of it. */
export class TestChannel {
  constructor(
    private readonly channels: LedgerChannels,
    private readonly senders: Senders,
    private readonly messages: Messages,
    private readonly deliveries: Pick<Deliveries, 'preferences'>,
  ) {}

  /** null: there is no such channel. */
  async execute(tenant: string, channelId: string): Promise<TestResult | null> {
    const channel = await this.channels.find(tenant, channelId);
    if (channel === null) return null;
    const sender = this.senders[channel.type];
    if (!sender.isConfigured(channel)) {
      return { outcome: 'not_configured', status: null, durationMs: 0, detail: `The installation sends no ${channel.type}` };
    }
    const alert = testAlert(channel);
    const begun = performance.now();
    const message = async () => this.messages.of(tenant, alert, await this.deliveries.preferences(tenant));
    const sending = { id: alert.alertId, tenant, channel, alert, message, heldBack: null };
    const { outcome, status, detail } = await sender.send(sending, TIMEOUT_MS);
    return { outcome, status, durationMs: Math.round(performance.now() - begun), detail };
  }
}

const testAlert = ({ name }: StoredChannel): AlertRaisedData => ({
  alertId: randomUUID(),
  event: 'channel.test',
  type: 'TEST',
  severity: 'info',
  budgetId: null,
  budgetName: null,
  scope: null,
  message: `This is a test of the channel ${name}. Nothing has happened to any budget.`,
  details: {
    currency: null,
    currentSpend: null,
    limit: null,
    percentUsed: null,
    periodStart: null,
    periodEnd: null,
    timezone: null,
    blockPoint: null,
    next: null,
  },
  source: 'bursar',
  causePosition: 0,
  at: new Date().toISOString(),
});
