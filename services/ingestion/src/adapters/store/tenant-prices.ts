import { decodeStored } from '@bursar/bus';
import { tenantStream } from '@bursar/contracts';
import { evolveDefinitions, TenantDefinitions } from '@bursar/contracts/folds';
import type { EventStore } from '@bursar/event-store';
import { PriceLists } from '../../features/ports.js';
import { RevisionReader } from './revision-reader.js';

/** Lists kept in memory, by their stored text, of which they take five to six times as much there. The shipped list of models is 0.8 MB of text. */
const LIMITS = { tenants: 1_000, textBytes: 24 * 1024 * 1024 };
const READ_LIMIT = 500;

type Cached = { readonly definitions: TenantDefinitions; revision: number; bytes: number; reading: Promise<void> | null };

/** Price lists folded from the stream `tenant-<tenant>`, compared with its revision at every question, read on from where they stand. */
export class TenantPrices extends PriceLists {
  private readonly tenants = new Map<string, Cached>();
  private readonly revisions: RevisionReader;
  private bytes = 0;

  constructor(
    private readonly store: Pick<EventStore, 'revisions' | 'readStream'>,
    private readonly limits: typeof LIMITS = LIMITS,
  ) {
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
        this.evict();
      });
      await cached.reading;
    }
    return cached.definitions;
  }

  /** The most lately used come last, so the first is the one to let go. */
  private cached(tenant: string): Cached {
    const cached = this.tenants.get(tenant) ?? { definitions: new TenantDefinitions(tenant), revision: -1, bytes: 0, reading: null };
    this.tenants.delete(tenant);
    this.tenants.set(tenant, cached);
    this.evict();
    return cached;
  }

  private evict(): void {
    for (const [tenant, { bytes }] of this.tenants) {
      // The last one was asked for last; alone it may be as large as it is.
      if (this.tenants.size === 1 || (this.tenants.size <= this.limits.tenants && this.bytes <= this.limits.textBytes)) return;
      this.tenants.delete(tenant);
      this.bytes -= bytes;
    }
  }

  private async readUpTo(tenant: string, cached: Cached, revision: number): Promise<void> {
    while (cached.revision < revision) {
      const events = await this.store.readStream(tenantStream(tenant), cached.revision + 1, READ_LIMIT);
      if (events.length === 0) throw new Error('a stream ends before its own revision');
      for (const event of events) {
        evolveDefinitions(cached.definitions, decodeStored(event));
        cached.revision = event.revision;
        cached.bytes += event.data.length;
        // One that was let go while it was being read is nobody's to account for.
        if (this.tenants.get(tenant) === cached) this.bytes += event.data.length;
      }
    }
  }
}
