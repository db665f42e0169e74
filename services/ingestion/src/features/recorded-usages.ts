import { decodeStored } from '@bursar/bus';
import { partitionOf, usageScopeEventId, usageStream } from '@bursar/contracts';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import type { RecordedUsage } from '../domain/correcting-events.js';
import type { PreparedEvent } from '../domain/prepare-usage.js';
import { metaText, type UsageSender } from './sender.js';

/** Where what was said of usage is, and whether it was said before. */
export type Said = Readonly<{ status: 'accepted' | 'duplicate'; position: string }>;

/** Usage as the ledger has it, and what is said of it afterwards. Throws as `RecordUsage` does. */
@Injectable()
export class RecordedUsages {
  constructor(private readonly store: EventStore) {}

  /** null: the tenant has no such usage. A partition holds many tenants and streams: only what this tenant's own stream has there is its usage. */
  async find(tenant: string, eventId: string): Promise<RecordedUsage | null> {
    const id = eventId.toLowerCase();
    if (!UUID.test(id)) return null;
    const known = (await this.store.lookup(this.#partition(tenant), [id])).get(id);
    if (known === undefined) return null;
    const [stored] = await this.store.readStream(usageStream(tenant), known.revision, 1);
    if (stored === undefined || stored.id !== id) return null;
    const event = decodeStored(stored);
    if (event.type !== 'UsageRecorded') return null;
    const { position, revision, recordedAt, data } = event;
    return { id, position, revision, recordedAt, data };
  }

  /** What added scopes to the usage since, in order: whoever says something of it says it of them too. */
  async additions(tenant: string, eventId: string): Promise<readonly RecordedUsage[]> {
    const ids = Array.from({ length: MAX_ADDITIONS }, (_, n) => usageScopeEventId(tenant, eventId, n + 1));
    const known = await this.store.lookup(this.#partition(tenant), ids);
    const found = await Promise.all(ids.filter((id) => known.has(id)).map((id) => this.find(tenant, id)));
    return found.filter((one) => one !== null);
  }

  async isRecorded(tenant: string, eventId: string): Promise<boolean> {
    return (await this.store.lookup(this.#partition(tenant), [eventId])).has(eventId);
  }

  async say(event: PreparedEvent, sender: UsageSender): Promise<Said> {
    const { tenant } = sender;
    const partition = this.#partition(tenant);
    const events = [{ ...event, meta: metaText(sender) }];
    const result = await this.store.append({ partition, stream: usageStream(tenant), events, expectedRevision: 'any' });
    const [outcome] = result.ok ? result.outcomes : [];
    if (outcome === undefined || outcome.status === 'conflict') throw new Error('the id of a correction is taken by another event');
    return { status: outcome.status, position: `${partition}:${outcome.position}` };
  }

  #partition(tenant: string): number {
    return partitionOf(tenant, this.store.partitions);
  }
}

/** Each adds one of 16 scopes at least. */
const MAX_ADDITIONS = 16;
/** Every id is one; another text names nothing. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
