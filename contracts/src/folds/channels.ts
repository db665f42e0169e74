import type { StoredChannel } from '../events/alert.js';
import type { LedgerEvent } from '../events/registry.js';

/** A channel as it is: what was stored last, and when it was made and changed. */
export type ChannelState = Readonly<{
  channel: StoredChannel;
  /** Of its first and its last event. */
  createdPosition: number;
  position: number;
  createdAt: string;
  createdBy: string | null;
  updatedAt: string;
}>;

/** One tenant's channels, from stream `tenant-<tenant>`. Folded in place. */
export class ChannelBook {
  readonly #channels = new Map<string, ChannelState>();

  /** Total; other events change nothing. */
  apply(event: LedgerEvent): void {
    if (event.type === 'ChannelRemoved') this.#channels.delete(event.data.channelId);
    if (event.type !== 'ChannelSaved') return;
    const { position, recordedAt, meta, data: channel } = event;
    const before = this.#channels.get(channel.channelId);
    this.#channels.set(channel.channelId, {
      channel,
      createdPosition: before?.createdPosition ?? position,
      position,
      createdAt: before?.createdAt ?? recordedAt,
      createdBy: before === undefined ? (meta.actor ?? null) : before.createdBy,
      updatedAt: recordedAt,
    });
  }

  get(channelId: string): ChannelState | undefined {
    return this.#channels.get(channelId);
  }

  /** Oldest first. */
  list(): readonly ChannelState[] {
    return [...this.#channels.values()];
  }
}
