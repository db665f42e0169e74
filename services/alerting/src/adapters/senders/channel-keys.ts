import type { StoredChannel } from '@bursar/contracts';
import type { SecretBox } from '@bursar/platform';

/** Opens what the api sealed for this tenant and this channel. */
export class ChannelKeys {
  constructor(private readonly box: SecretBox) {}

  /** What a webhook is signed with now, newest first: two while a new one takes over. */
  secrets(tenant: string, { channelId, secrets = [], secretRotatesUntil }: StoredChannel, now: number): readonly string[] {
    const both = secretRotatesUntil !== undefined && Date.parse(secretRotatesUntil) > now;
    return secrets.slice(0, both ? 2 : 1).map((sealed) => this.box.open(sealed, ['channel', tenant, channelId]));
  }

  /** The address of Slack. */
  sealedUrl(tenant: string, { channelId, sealedUrl }: StoredChannel): string | null {
    return sealedUrl === undefined ? null : this.box.open(sealedUrl, ['channel', tenant, channelId]);
  }
}
