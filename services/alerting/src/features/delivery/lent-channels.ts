import type { StoredChannel } from '@bursar/contracts';
import { emailAddress } from '@bursar/contracts/http';
import type { AlertPreferences } from '@bursar/database';

const SLACK = 'installation:slack';
const EMAIL = 'installation:email';

/**
 * Channels that a tenant has without having made them: the installation's Slack webhook (SLACK_WEBHOOK_URL) and its admin contact by
 * e-mail. Each only as long as the tenant has no channel of that type.
 */
export class LentChannels {
  constructor(private readonly hasSlack: boolean) {}

  of(channels: readonly StoredChannel[], { adminContact }: Pick<AlertPreferences, 'adminContact'>): readonly StoredChannel[] {
    const has = (type: StoredChannel['type']): boolean => channels.some((channel) => channel.type === type);
    return [
      ...(this.hasSlack && !has('slack') ? [{ channelId: SLACK, type: 'slack' as const, name: 'slack' }] : []),
      ...(!has('email') && emailAddress.safeParse(adminContact).success && adminContact !== null
        ? [{ channelId: EMAIL, type: 'email' as const, name: 'email', to: [adminContact] }]
        : []),
    ];
  }

  /** The channel behind the id of a lent one, as it is now; null for any other id. */
  find(channelId: string, preferences: Pick<AlertPreferences, 'adminContact'>): StoredChannel | null {
    return this.of([], preferences).find((channel) => channel.channelId === channelId) ?? null;
  }
}

/** Is the address the installation's own, and not in the channel? */
export const isLentSlack = ({ channelId }: StoredChannel): boolean => channelId === SLACK;
