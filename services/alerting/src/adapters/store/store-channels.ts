import { decodeStored } from '@bursar/bus';
import {
  contentHash,
  derivedId,
  EVENT_DEFINITIONS,
  formatInstant,
  NS_PER_MS,
  partitionOf,
  type StoredChannel,
  tenantStream,
} from '@bursar/contracts';
import { ChannelBook } from '@bursar/contracts/folds';
import { type EventStore, streamPages } from '@bursar/event-store';
import { LedgerChannels } from '../../features/delivery/ports.js';

const MAX_DECISIONS = 20;

/** Channels on stream `tenant-<tenant>`, which the api writes, too: appended at the revision that was read. */
export class StoreChannels extends LedgerChannels {
  constructor(private readonly store: EventStore) {
    super();
  }

  async find(tenant: string, channelId: string): Promise<StoredChannel | null> {
    return (await this.#load(tenant)).book.get(channelId)?.channel ?? null;
  }

  async disable(tenant: string, channelId: string, reason: string): Promise<void> {
    for (let attempt = 0; attempt < MAX_DECISIONS; attempt += 1) {
      const { book, revision } = await this.#load(tenant);
      const state = book.get(channelId);
      if (state === undefined || state.channel.disabled !== undefined) return;
      const at = formatInstant(BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS);
      if (await this.#append(tenant, { ...state.channel, disabled: { reason, at } }, state.position, revision)) return;
    }
    throw new Error('others kept changing the channels of a tenant');
  }

  async #load(tenant: string): Promise<Readonly<{ book: ChannelBook; revision: number }>> {
    const book = new ChannelBook();
    let revision = -1;
    for await (const page of streamPages(this.store, tenantStream(tenant))) {
      for (const event of page) {
        book.apply(decodeStored(event));
        revision = event.revision;
      }
    }
    return { book, revision };
  }

  /** False: somebody was faster. The id is that of disabling this state of the channel, which happens once. */
  async #append(tenant: string, channel: StoredChannel, position: number, expectedRevision: number): Promise<boolean> {
    const event = {
      id: derivedId('channel-disabled', tenant, channel.channelId, String(position)),
      type: 'ChannelSaved',
      version: EVENT_DEFINITIONS.get('ChannelSaved')?.version ?? 1,
      data: JSON.stringify(channel),
      meta: JSON.stringify({ tenant, actor: 'alerting', via: 'alerting' }),
      contentHash: contentHash({ channelId: channel.channelId, position }),
    };
    const partition = partitionOf(tenant, this.store.partitions);
    const result = await this.store.append({ partition, stream: tenantStream(tenant), events: [event], expectedRevision });
    return result.ok;
  }
}
