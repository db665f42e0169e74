import { decodeStored } from '@bursar/bus';
import { balanceStream, type EpochNs, formatInstant } from '@bursar/contracts';
import type { BudgetState } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import type { EventStore } from '@bursar/event-store';
import type { Kysely } from 'kysely';
import { type Budgets, Noticed } from '../../features/ports.js';

const PAGE = 200;
/** A period has fewer crossings than this; what is further back is of older ones. */
const MAX_READ = 2_000;

/** Which budget is on a scope, from the projection; what it was, and what it has said, from the ledger. */
export class StoreNotices extends Noticed {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly store: EventStore,
    private readonly budgets: Budgets,
  ) {
    super();
  }

  async budgetOn(tenant: string, scope: string, position: number): Promise<BudgetState | null> {
    const rows = await this.db
      .selectFrom('projection.budget')
      .select('budget_id')
      .where('tenant', '=', tenant)
      .where('scope', '=', scope)
      .where('deleted', '=', false)
      .orderBy('created_position')
      .execute();
    for (const row of rows) {
      const budget = await this.budgets.at(tenant, row.budget_id, position);
      // A filter or a pool is something else than the whole of the scope, which a notice is about.
      if (budget !== null && budget.deletedPosition === null && budget.definition.filter === undefined) return budget;
    }
    return null;
  }

  async hasCrossed(tenant: string, budgetId: string, periodStart: EpochNs, critical: boolean, before: number): Promise<boolean> {
    const stream = balanceStream(tenant, budgetId);
    const start = formatInstant(periodStart);
    const [revision = -1] = await this.store.revisions([stream]);
    for (let from = revision; from >= 0 && revision - from < MAX_READ; from -= PAGE) {
      for (const stored of await this.store.readStreamBackwards(stream, from, PAGE)) {
        if (stored.position >= before || stored.type !== 'ThresholdCrossed') continue;
        const event = decodeStored(stored);
        if (event.type !== 'ThresholdCrossed' || event.data.periodStart !== start) continue;
        const { severity } = event.data.definition;
        if (severity === 'critical' || (severity === 'warning' && !critical)) return true;
      }
    }
    return false;
  }
}
