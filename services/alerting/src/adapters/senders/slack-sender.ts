import type { StoredChannel } from '@bursar/contracts';
import type { SendOutcome } from '../../domain/delivery/settle.js';
import { isLentSlack } from '../../features/delivery/lent-channels.js';
import { Sender, type Sending } from '../../features/delivery/ports.js';
import type { ChannelKeys } from './channel-keys.js';
import type { Post } from './post.js';

/** A Slack incoming webhook, Block Kit. */
export class SlackSender extends Sender {
  constructor(
    private readonly post: Post,
    private readonly keys: ChannelKeys,
    /** SLACK_WEBHOOK_URL. */
    private readonly installationUrl: string | undefined,
  ) {
    super();
  }

  isConfigured(channel: StoredChannel): boolean {
    return isLentSlack(channel) ? this.installationUrl !== undefined : channel.sealedUrl !== undefined;
  }

  async send({ tenant, channel, message }: Sending, timeoutMs: number): Promise<SendOutcome> {
    const url = isLentSlack(channel) ? this.installationUrl : this.keys.sealedUrl(tenant, channel);
    const headers = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Bursar' };
    return this.post({ url: url ?? '', headers, body: JSON.stringify((await message()).slack) }, timeoutMs);
  }
}
