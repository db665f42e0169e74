import { decodeStored } from '@bursar/bus';
import { partitionOf, usageStream } from '@bursar/contracts';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { type RecordedUsage, voidEvent } from '../domain/void-event.js';
import { metaText, type UsageSender } from './sender.js';

/** What became of a void; a second one of the same usage is a `duplicate`, and the first stands. */
export type VoidReceipt = Readonly<{ eventId: string; status: 'accepted' | 'duplicate'; voidEventId: string; position: string }>;

/** Takes recorded usage back by another event; the ledger keeps both. Throws as `RecordUsage` does. */
@Injectable()
export class VoidUsage {
  constructor(private readonly store: EventStore) {}

  /** null: the tenant has no such usage. */
  async execute(eventId: string, reason: string, sender: UsageSender): Promise<VoidReceipt | null> {
    const { tenant } = sender;
    const partition = partitionOf(tenant, this.store.partitions);
    const recorded = await this.find(tenant, partition, eventId);
    if (recorded === null) return null;
    const event = { ...voidEvent(tenant, recorded, reason), meta: metaText(sender) };
    const result = await this.store.append({ partition, stream: usageStream(tenant), events: [event], expectedRevision: 'any' });
    const [outcome] = result.ok ? result.outcomes : [];
    if (outcome === undefined || outcome.status === 'conflict') throw new Error('the id of a void is taken by another event');
    const { status, position } = outcome;
    return { eventId: recorded.id, status, voidEventId: event.id, position: `${partition}:${position}` };
  }

  /** A partition holds many tenants and streams: only what this tenant's own stream has at that revision is its usage. */
  private async find(tenant: string, partition: number, eventId: string): Promise<RecordedUsage | null> {
    const id = eventId.toLowerCase();
    if (!UUID.test(id)) return null;
    const known = (await this.store.lookup(partition, [id])).get(id);
    if (known === undefined) return null;
    const [stored] = await this.store.readStream(usageStream(tenant), known.revision, 1);
    if (stored === undefined || stored.id !== id) return null;
    const event = decodeStored(stored);
    if (event.type !== 'UsageRecorded') return null;
    const { position, revision, recordedAt, data } = event;
    return { id, position, revision, recordedAt, data };
  }
}

/** Every id is one; another text names nothing. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
