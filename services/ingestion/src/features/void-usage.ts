import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { voidEvent } from '../domain/correcting-events.js';
import { RecordedUsages, type Said } from './recorded-usages.js';
import type { UsageSender } from './sender.js';

/** What became of a void; a second one of the same usage is a `duplicate`, and the first stands. */
export type VoidReceipt = Said & Readonly<{ eventId: string; voidEventId: string }>;

/** Takes recorded usage back by another event; the ledger keeps both. */
@Injectable()
export class VoidUsage {
  constructor(private readonly usages: RecordedUsages) {}

  /** Throws 404 when the tenant has no such usage. */
  async execute(eventId: string, reason: string, sender: UsageSender): Promise<VoidReceipt> {
    const recorded = await this.usages.find(sender.tenant, eventId);
    if (recorded === null) throw new Problem('not_found', 'There is no such usage.');
    const event = voidEvent(sender.tenant, recorded, reason);
    const { status, position: first } = await this.usages.say(event, sender);
    let position = first;
    // Asked for afterwards: after its void no scope is added any more.
    for (const addition of await this.usages.additions(sender.tenant, recorded.id)) {
      ({ position } = await this.usages.say(voidEvent(sender.tenant, addition, reason), sender));
    }
    return { eventId: recorded.id, status, voidEventId: event.id, position };
  }
}
