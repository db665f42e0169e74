import type { StoredChannel } from '@bursar/contracts';
import type { StoredAttempt } from '@bursar/database';
import { isUnconfigured } from '../../domain/delivery/route.js';
import { type SendOutcome, settle } from '../../domain/delivery/settle.js';
import { type Message, summarise } from '../../domain/delivery/summary.js';
import type { LentChannels } from './lent-channels.js';
import type { Claimed, Deliveries, LedgerChannels, Messages, Senders } from './ports.js';

/** API.md, Alerts: an attempt that takes longer has failed. */
const TIMEOUT_MS = 15_000;

export type Delivering = Readonly<{
  deliveries: Deliveries;
  senders: Senders;
  messages: Messages;
  lent: LentChannels;
  channels: LedgerChannels;
  random: () => number;
  /** Told of each attempt. */
  attempted: (type: StoredChannel['type'], attempt: StoredAttempt) => void;
}>;

/** One attempt of one delivery, and what it comes to. */
export class Deliver {
  constructor(private readonly parts: Delivering) {}

  /** Answers what was claimed in its place: the next to the same channel, unless `takesNext` says that there shall be none. */
  async attempt(claimed: Claimed, takesNext: () => boolean): Promise<Claimed | null> {
    const { deliveries, senders, lent } = this.parts;
    const channel = claimed.channel ?? lent.find(claimed.channelId, claimed.preferences);
    if (channel === null) return this.#setAside(claimed, isUnconfigured(claimed.channelId) ? 'not_configured' : 'channel_removed');
    if (channel.disabled !== undefined) return this.#setAside(claimed, 'channel_disabled');
    const sender = senders[channel.type];
    if (!sender.isConfigured(channel)) return this.#setAside(claimed, 'not_configured');

    const at = new Date();
    const begun = performance.now();
    const { tenant, alert, heldBack, deliveryId } = claimed;
    // A receiver knows an alert by its own id, whatever way it comes; a summary is a message of its own.
    const id = heldBack === null ? alert.alertId : deliveryId;
    const outcome = await sender.send({ id, tenant, channel, alert, message: () => this.#message(claimed), heldBack }, TIMEOUT_MS);
    const attempt = attemptOf(claimed.number, at, Math.round(performance.now() - begun), outcome);
    const settled = settle(outcome, claimed.tries, this.parts.random());
    if (settled.status === 'channel_disabled' && claimed.channel !== null) {
      await this.parts.channels.disable(tenant, claimed.channelId, 'Its target answered 410 Gone');
    }
    const next =
      settled.status === 'delivered' && takesNext()
        ? await deliveries.settleAndClaim(claimed, attempt)
        : await deliveries.settle(claimed, attempt, settled).then(() => null);
    this.parts.attempted(channel.type, attempt);
    return next;
  }

  async #setAside(claimed: Claimed, status: 'not_configured' | 'channel_disabled' | 'channel_removed'): Promise<null> {
    const { subject, text } = await this.#message(claimed);
    await this.parts.deliveries.setAside(claimed, { status, preview: { subject, text } });
    return null;
  }

  async #message({ tenant, alert, preferences, heldBack }: Claimed): Promise<Message> {
    const message = await this.parts.messages.of(tenant, alert, preferences);
    return heldBack === null ? message : summarise(message, heldBack);
  }
}

const attemptOf = (number: number, at: Date, durationMs: number, { outcome, status, detail }: SendOutcome): StoredAttempt => ({
  number,
  at: at.toISOString(),
  durationMs,
  outcome,
  status,
  detail,
});
