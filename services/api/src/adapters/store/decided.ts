import { decodeStored } from '@bursar/bus';
import { balanceStream, type EventOf, upcast } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { EventStore, streamPages } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import type { Decided } from '../../domain/budget-as-of.js';

export type Balance = Readonly<{ counted: readonly EventOf<'BudgetCounted'>[]; decided: readonly Decided[] }>;

/** What the projector said of budgets. What it has decided and not told the ledger yet is in its outbox: both together are complete. */
@Injectable()
export class BalanceStreams {
  constructor(
    private readonly store: EventStore,
    private readonly db: Kysely<Database>,
  ) {}

  /** The outbox first: what leaves it meanwhile is in the ledger by then. */
  async read(tenant: string, partition: number, budgetIds: readonly string[]): Promise<ReadonlyMap<string, Balance>> {
    const outbox = await this.db
      .selectFrom('projection.outbox')
      .selectAll()
      .where('partition', '=', partition)
      .orderBy('sequence')
      .execute();
    const untold = Map.groupBy(outbox, ({ stream }) => stream);
    const streams = budgetIds.map((id) => balanceStream(tenant, id));
    const revisions = await this.store.revisions(streams);
    const found = new Map<string, Balance>();
    for (const [index, budgetId] of budgetIds.entries()) {
      const stream = streams[index] ?? '';
      const told = (revisions[index] ?? -1) < 0 && !untold.has(stream) ? { counted: [], decided: [] } : await this.#told(stream);
      const known = new Set(told.decided.map(({ id }) => id));
      const waiting = (untold.get(stream) ?? []).flatMap(({ id, type, version, data }): readonly Decided[] => {
        if (known.has(id) || (type !== 'ThresholdCrossed' && type !== 'ThresholdCleared')) return [];
        return [{ id, type, position: null, data: upcast(type, version, JSON.parse(data)) as Decided['data'] }];
      });
      found.set(budgetId, { counted: told.counted, decided: [...told.decided, ...waiting] });
    }
    return found;
  }

  async #told(stream: string): Promise<Balance> {
    const counted: EventOf<'BudgetCounted'>[] = [];
    const decided: Decided[] = [];
    for await (const page of streamPages(this.store, stream)) {
      for (const stored of page) {
        const event = decodeStored(stored);
        if (event.type === 'BudgetCounted') counted.push(event);
        else if (event.type === 'ThresholdCrossed' || event.type === 'ThresholdCleared') decided.push(event);
      }
    }
    return { counted, decided };
  }
}
