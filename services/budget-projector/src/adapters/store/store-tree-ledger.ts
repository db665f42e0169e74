import { usageStream } from '@bursar/contracts';
import type { EventStore, StoredEvent } from '@bursar/event-store';
import type { TenantHistory } from '../../domain/tenant-history.js';
import type { TreeLedger } from '../../features/audit/audit-tree.js';
import type { LedgerItem } from '../../features/ledger.js';
import type { ProjectionTables } from '../../features/projection-tables.js';
import { TenantHistories } from '../../features/tenant-histories.js';
import { readItem } from './store-ledger.js';

const PAGE = 1_000;

/** The ledger as an audit reads it. Definitions come from the tables, anew each time: what a session keeps is its own. */
export class StoreTreeLedger implements TreeLedger {
  constructor(
    private readonly store: EventStore,
    private readonly tables: ProjectionTables,
  ) {}

  async last(partition: number, limit: number): Promise<readonly LedgerItem[]> {
    const heads = await this.store.heads();
    const head = heads.find((one) => one.partition === partition)?.position ?? 0;
    return (await this.store.readPartition(partition, Math.max(0, head - limit), limit)).map(readItem);
  }

  async usageBackwards(tenant: string, limit: number): Promise<readonly LedgerItem[]> {
    const stream = usageStream(tenant);
    const [revision = -1] = await this.store.revisions([stream]);
    const found: StoredEvent[] = [];
    for (let next = revision; next >= 0 && found.length < limit; ) {
      const page = await this.store.readStreamBackwards(stream, next, Math.min(PAGE, limit - found.length));
      found.push(...page);
      const last = page.at(-1);
      if (last === undefined) break;
      next = last.revision - 1;
    }
    return found.map(readItem);
  }

  history(tenant: string): Promise<TenantHistory> {
    return new TenantHistories(this.tables).get(tenant);
  }
}
