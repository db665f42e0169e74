import { formatInstant, parseInstant } from '@bursar/contracts';
import type { ChannelState } from '@bursar/contracts/folds';

/** A channel in the shape of API.md. Of Slack only where it is: the rest of the address is its credential. */
export const showChannel = ({ channel, createdAt, createdBy, updatedAt }: ChannelState, url: string | undefined) => ({
  id: channel.channelId,
  type: channel.type,
  name: channel.name,
  ...(url !== undefined && { url: channel.type === 'slack' ? `${new URL(url).origin}/…` : url }),
  ...(channel.to !== undefined && { to: channel.to }),
  events: channel.events ?? null,
  minSeverity: channel.minSeverity ?? null,
  rateLimit: channel.rateLimit ?? null,
  secretRotatesUntil: channel.secretRotatesUntil ?? null,
  disabled: channel.disabled ?? null,
  createdAt: formatInstant(parseInstant(createdAt)),
  createdBy,
  updatedAt: formatInstant(parseInstant(updatedAt)),
});
