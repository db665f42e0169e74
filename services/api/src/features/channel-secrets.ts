import { randomBytes } from 'node:crypto';
import type { StoredChannel } from '@bursar/contracts';
import { SecretBox } from '@bursar/platform';
import { Injectable } from '@nestjs/common';

const SECRET_BYTES = 32;

/** Secrets of channels as they are stored: sealed for this tenant and this channel. alerting opens them the same way. */
@Injectable()
export class ChannelSecrets {
  constructor(private readonly box: SecretBox) {}

  /** A secret of Standard Webhooks that nobody has yet. */
  fresh(): string {
    return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
  }

  seal(tenant: string, channelId: string, text: string): string {
    return this.box.seal(text, ['channel', tenant, channelId]);
  }

  /** What the channel is signed with, newest first. */
  secretsOf(tenant: string, { channelId, secrets = [] }: StoredChannel): readonly string[] {
    return secrets.map((sealed) => this.box.open(sealed, ['channel', tenant, channelId]));
  }

  /** The whole address, of Slack too. */
  urlOf(tenant: string, { channelId, url, sealedUrl }: StoredChannel): string | undefined {
    return sealedUrl === undefined ? url : this.box.open(sealedUrl, ['channel', tenant, channelId]);
  }
}
