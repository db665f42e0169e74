import { Webhook } from 'standardwebhooks';
import type { SendOutcome } from '../../domain/delivery/settle.js';
import { webhookBody } from '../../domain/delivery/webhook-body.js';
import { Sender, type Sending } from '../../features/delivery/ports.js';
import type { ChannelKeys } from './channel-keys.js';
import type { Post } from './post.js';

/** A webhook per Standard Webhooks 1.0.0: the id is the alert's, the instant the attempt's, the signatures are over the bytes sent. */
export class WebhookSender extends Sender {
  constructor(
    private readonly post: Post,
    private readonly keys: ChannelKeys,
  ) {
    super();
  }

  isConfigured(): boolean {
    return true;
  }

  send({ id, tenant, channel, alert }: Sending, timeoutMs: number): Promise<SendOutcome> {
    const body = webhookBody(tenant, alert);
    const at = new Date();
    const signatures = this.keys.secrets(tenant, channel, at.getTime()).map((secret) => new Webhook(secret).sign(id, at, body));
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Bursar',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': signatures.join(' '),
    };
    return this.post({ url: channel.url ?? '', headers, body }, timeoutMs);
  }
}
