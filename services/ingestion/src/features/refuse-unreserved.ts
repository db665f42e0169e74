import { partitionOf, type UsageData } from '@bursar/contracts';
import { tenantSettings } from '@bursar/contracts/folds';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import type { Arrival, PreparedUsage } from '../domain/prepare-usage.js';
import { isRefusedUnreserved, namedScopes, unreserved } from '../domain/unreserved-usage.js';
import { BlockingBudgets } from './ports.js';

/**
 * Where the tenant's `unreservedPolicy` is `deny`: usage that names no reservation and that a budget which blocks counts is rejected,
 * `unreserved` (RELIABILITY F29). Every other tenant is asked nothing.
 */
@Injectable()
export class RefuseUnreserved {
  constructor(
    private readonly budgets: BlockingBudgets,
    private readonly store: EventStore,
  ) {}

  async among(prepared: readonly PreparedUsage[], { tenant, now, definitions }: Arrival): Promise<readonly PreparedUsage[]> {
    if (tenantSettings(definitions).unreservedPolicy === 'count') return prepared;
    const open = new Map<PreparedUsage, UsageData>();
    for (const usage of prepared) {
      if ('problem' in usage) continue;
      const data = JSON.parse(usage.event.data) as UsageData;
      if (data.reservationId === undefined) open.set(usage, data);
    }
    if (open.size === 0) return prepared;
    const around = await this.budgets.around(tenant, [...new Set([...open.values()].flatMap(namedScopes))]);
    const refused = new Set([...open].flatMap(([usage, data]) => (isRefusedUnreserved(data, around, tenant, now) ? [usage] : [])));
    if (refused.size === 0) return prepared;
    // What is in the ledger counts already: whoever repeats it is told so, and not that it was refused.
    const ids = [...refused].flatMap((usage) => ('event' in usage ? [usage.event.id] : []));
    const known = await this.store.lookup(partitionOf(tenant, this.store.partitions), ids);
    return prepared.map((usage) =>
      'problem' in usage || !refused.has(usage) || known.has(usage.event.id) ? usage : { item: usage.item, problem: unreserved() },
    );
  }
}
