import { decodeStored } from '@bursar/bus';
import { derivedId, type LedgerEvent, partitionOf } from '@bursar/contracts';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Single events of the ledger, by id or by place. */
@Injectable()
export class FoundEvents {
  constructor(private readonly store: EventStore) {}

  /** The tenant's event of this id; null: there is none. */
  async byId(tenant: string, id: string): Promise<LedgerEvent | null> {
    if (!UUID.test(id)) return null;
    const partition = partitionOf(tenant, this.store.partitions);
    const known = (await this.store.lookup(partition, [id])).get(id);
    return known === undefined ? null : this.at(tenant, known.position);
  }

  /** The event that says of an alert what caused it, or that is the cause itself. */
  async alert(tenant: string, alertId: string): Promise<LedgerEvent | null> {
    const raised = await this.byId(tenant, derivedId('alert', tenant, alertId));
    if (raised?.type === 'AlertRaised') return this.at(tenant, raised.data.causePosition);
    return this.byId(tenant, alertId);
  }

  /** Also of a partition that tenants share: another tenant's is none. */
  async at(tenant: string, position: number): Promise<LedgerEvent | null> {
    if (position < 1) return null;
    const [stored] = await this.store.readPartition(partitionOf(tenant, this.store.partitions), position - 1, 1);
    if (stored === undefined) return null;
    const event = decodeStored(stored);
    return event.meta.tenant === tenant ? event : null;
  }
}
