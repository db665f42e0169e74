import { decodeStored } from '@bursar/bus';
import { tenantStream } from '@bursar/contracts';
import { evolveDefinitions, TenantDefinitions } from '@bursar/contracts/folds';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { PriceLists } from '../../features/ports.js';
import { RevisionReader } from './revision-reader.js';

/** Tenants whose lists are kept in memory; a shipped list is about a megabyte. */
const MAX_TENANTS = 100;
const READ_LIMIT = 500;

type Cached = { readonly definitions: TenantDefinitions; revision: number; reading: Promise<void> | null };

/** Price lists folded from the stream `tenant-<tenant>`, compared with its revision at every question, read on from where they stand. */
@Injectable()
export class TenantPrices extends PriceLists {
  private readonly tenants = new Map<string, Cached>();
  private readonly revisions: RevisionReader;

  constructor(private readonly store: EventStore) {
    super();
    this.revisions = new RevisionReader(store);
  }

  async of(tenant: string): Promise<TenantDefinitions> {
    const revision = await this.revisions.read(tenantStream(tenant));
    const cached = this.cached(tenant);
    // A list comes in several events: whoever asks while it is being read waits for all of it.
    while (cached.reading !== null) await cached.reading;
    if (cached.revision < revision) {
      cached.reading = this.readUpTo(tenant, cached, revision).finally(() => {
        cached.reading = null;
      });
      await cached.reading;
    }
    return cached.definitions;
  }

  /** The most lately used come last, so the first is the one to let go. */
  private cached(tenant: string): Cached {
    const cached = this.tenants.get(tenant) ?? { definitions: new TenantDefinitions(tenant), revision: -1, reading: null };
    this.tenants.delete(tenant);
    this.tenants.set(tenant, cached);
    if (this.tenants.size > MAX_TENANTS) this.tenants.delete(this.tenants.keys().next().value ?? '');
    return cached;
  }

  private async readUpTo(tenant: string, cached: Cached, revision: number): Promise<void> {
    while (cached.revision < revision) {
      const events = await this.store.readStream(tenantStream(tenant), cached.revision + 1, READ_LIMIT);
      if (events.length === 0) throw new Error('a stream ends before its own revision');
      for (const event of events) {
        evolveDefinitions(cached.definitions, decodeStored(event));
        cached.revision = event.revision;
      }
    }
  }
}
