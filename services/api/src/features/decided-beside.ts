import { decodeStored } from '@bursar/bus';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { Holds } from '../adapters/sql/holds.js';
import { Moments } from '../adapters/store/moments.js';
import { type Among, HeldBeside } from '../domain/held-beside.js';
import { PastBudgets } from './past-budgets.js';

/** Events in one read: an append takes a moment, in which few groups are decided. */
const PAGE = 16;

/** What an owner had decided by the time of a decision, and the fold had not come to. */
@Injectable()
export class DecidedBeside {
  constructor(
    private readonly holds: Holds,
    private readonly store: EventStore,
    private readonly moments: Moments,
    private readonly budgets: PastBudgets,
  ) {}

  /** From the position on which it was decided. Throws 503 while what came after that is not folded. */
  async since(position: number, among: Among): Promise<HeldBeside> {
    const { tenant } = among;
    const beside = new HeldBeside(among);
    const head = await this.moments.head(tenant);
    await this.budgets.folded(head);
    for (let after = position; !beside.isOver; ) {
      const page = await this.holds.grantedAfter(tenant, after, PAGE);
      for (const at of page) {
        const [stored] = beside.isOver ? [] : await this.store.readPartition(head.partition, at - 1, 1);
        const event = stored === undefined ? null : decodeStored(stored);
        if (event?.type === 'HoldsChanged') beside.tell(event.data.changes);
      }
      if (page.length < PAGE) break;
      after = page.at(-1) ?? after;
    }
    return beside;
  }
}
