import { decodeStored } from '@bursar/bus';
import { type EventOf, formatInstant, formatPicos, parseInstant, parsePicos, partitionOf, scopeType } from '@bursar/contracts';
import { type Terms, termsBefore } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { findBudget } from '../adapters/sql/budgets.js';
import { type EndedRow, endedByCalendar } from '../adapters/sql/periods.js';
import { onSnapshot } from '../adapters/sql/snapshot.js';
import type { BudgetRow } from '../adapters/sql/standings.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';
import { Cursors } from './cursors.js';
import type { PageQuery } from './paging.js';

type Manual = Readonly<{ at: string; position: number }>;
type Entry = Readonly<{ at: string; shown: object }>;

/** GET /budgets/:id/resets (PRODUCT E5): where a new spending window began, by hand or by the calendar, newest first. */
@Injectable()
export class ListResets {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly store: EventStore,
    private readonly cursors: Cursors,
    private readonly installation: Installation,
  ) {}

  async execute(tenant: string, budgetId: string, query: PageQuery): Promise<Answer> {
    const list = ['budget-resets', budgetId];
    const before = query.cursor === undefined ? null : String(this.cursors.read(tenant, list, query.cursor)[0]);
    const partition = partitionOf(tenant, this.installation.partitions);
    const most = query.limit + 1;
    const { budget, automatic } = await onSnapshot(this.db, partition, async (trx) => {
      const row = await findBudget(trx, tenant, budgetId);
      if (row === undefined) throw new Problem('not_found', 'There is no such budget.');
      return { budget: row, automatic: await endedByCalendar(trx, tenant, budgetId, before, most) };
    });
    const byHand = manualBefore(budget, before, most);
    const events = await Promise.all(byHand.map(({ position }) => this.#reset(partition, position)));
    const entries = [
      ...automatic.map((row): Entry => ({ at: row.ended.endedAt, shown: showAutomatic(row, budget) })),
      ...events.flatMap((event): readonly Entry[] => (event === null ? [] : [showManual(event, budget)])),
    ].sort((a, b) => (parseInstant(a.at) < parseInstant(b.at) ? 1 : -1));
    const shown = entries.slice(0, query.limit);
    const last = entries.length > query.limit ? shown.at(-1) : undefined;
    return ok({
      data: shown.map((entry) => entry.shown),
      nextCursor: last === undefined ? null : this.cursors.write(tenant, list, [last.at]),
    });
  }

  async #reset(partition: number, position: number): Promise<EventOf<'BudgetReset'> | null> {
    const [stored] = await this.store.readPartition(partition, position - 1, 1);
    const event = stored === undefined ? null : decodeStored(stored);
    return event?.type === 'BudgetReset' ? event : null;
  }
}

const manualBefore = ({ definition }: BudgetRow, before: string | null, most: number): readonly Manual[] =>
  (definition.period.resets ?? []).filter(({ at }) => before === null || parseInstant(at) < parseInstant(before)).slice(-most);

const showAutomatic = ({ ended, restatements }: EndedRow, budget: BudgetRow): object => ({
  type: 'automatic',
  by: 'reset-scheduler',
  userId: userOf(budget),
  previousLimit: limitBefore(budget.terms, ended.endedAt, 0n),
  previousSpend: restatements.at(-1)?.spend ?? ended.spend,
  newLimit: limitBefore(budget.terms, ended.endedAt, 1n),
  currency: ended.currency,
  reason: null,
  at: ended.endedAt,
});

const showManual = ({ data, meta, recordedAt }: EventOf<'BudgetReset'>, budget: BudgetRow): Entry => {
  const at = formatInstant(parseInstant(recordedAt));
  const { previousLimit, newLimit, currency, reason } = data;
  const previousSpend = formatPicos(parsePicos(data.previousSpend));
  const by = meta.actor ?? null;
  const shown = { type: 'manual', by, userId: userOf(budget), previousLimit, previousSpend, newLimit: newLimit ?? previousLimit };
  return { at, shown: { ...shown, currency, reason, at } };
};

/** In force just before the boundary, or from it on. */
const limitBefore = (terms: readonly Terms[], boundary: string, more: bigint): string | null =>
  termsBefore(terms, parseInstant(boundary) + more)?.limit ?? null;

const userOf = ({ scope }: BudgetRow): string | null => (scopeType(scope) === 'user' ? scope.slice('user:'.length) : null);
