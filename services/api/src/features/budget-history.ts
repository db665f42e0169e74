import { balanceStream, budgetStream, formatInstant, type LedgerEvent, parseInstant, partitionOf } from '@bursar/contracts';
import { findBudget, type TenantDefinitions } from '@bursar/contracts/folds';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import { Pasts } from '../adapters/store/past.js';
import { readable } from '../adapters/store/readable.js';
import { type Answer, ok } from './answer.js';
import { showDefinition } from './budget-view.js';
import { Cursors, type Place } from './cursors.js';
import type { PageQuery } from './paging.js';

/**
 * GET /budgets/:id/history: the events of the budget's own stream and of its balance's, newest first, as the ledger has them. Deleting a
 * budget takes nothing from it (API.md). A cursor is the first revision of each stream that was shown: what is appended meanwhile moves
 * no page.
 */
@Injectable()
export class BudgetHistory {
  constructor(
    private readonly store: EventStore,
    private readonly pasts: Pasts,
    private readonly cursors: Cursors,
  ) {}

  /** Throws 404 where the tenant never had such a budget. */
  async page(tenant: string, budgetId: string, query: PageQuery): Promise<Answer> {
    const list = ['budget-history', budgetId];
    const streams = [budgetStream(tenant, budgetId), balanceStream(tenant, budgetId)];
    const [own = -1, balance = -1] = await this.store.revisions(streams);
    if (own === -1) throw new Problem('not_found', 'There is no such budget.');
    const until = query.cursor === undefined ? [own + 1, balance + 1] : numbers(this.cursors.read(tenant, list, query.cursor));
    const tails = await Promise.all(
      streams.map((stream, index) => this.store.readStreamBackwards(stream, (until[index] ?? 0) - 1, query.limit)),
    );
    // A read may be cut by its bytes: what is older than the cut comes on a later page, in order.
    const cuts = tails.map((tail, index) => (tail.length < Math.min(query.limit, until[index] ?? 0) ? (tail.at(-1)?.position ?? 0) : 0));
    const shown = tails
      .flatMap((tail, stream) => tail.map((stored) => ({ stored, stream })))
      .filter(({ stored }) => stored.position >= Math.max(...cuts))
      .sort((a, b) => b.stored.position - a.stored.position)
      .slice(0, query.limit);
    const next = until.map((revision, index) => revision - shown.filter(({ stream }) => stream === index).length);
    const { definitions } = await this.pasts.load(tenant, [budgetId]);
    const partition = partitionOf(tenant, this.store.partitions);
    return ok({
      data: shown.flatMap(({ stored }) => {
        const event = readable(stored);
        return event === null ? [] : [showEvent(event, definitions, budgetId, partition)];
      }),
      nextCursor: next.every((revision) => revision === 0) ? null : this.cursors.write(tenant, list, next),
    });
  }
}

const numbers = (place: Place): readonly number[] => place.map(Number);

const showEvent = (event: LedgerEvent, definitions: TenantDefinitions, budgetId: string, partition: number): object => ({
  type: event.type,
  at: formatInstant(parseInstant(event.recordedAt)),
  by: event.meta.actor ?? null,
  reason: 'reason' in event.data ? event.data.reason : null,
  position: positionText(partition, event.position),
  ...factsOf(event, () => {
    const before = findBudget(definitions, budgetId, event.position - 1);
    return before === null ? null : showDefinition(before.definition);
  }),
});

/** Definitions as the API shows them, before and after; everything else says what the event says. */
const factsOf = (event: LedgerEvent, before: () => object | null): object => {
  switch (event.type) {
    case 'BudgetCreated':
    case 'BudgetChanged':
      return { before: before(), after: showDefinition(event.data.definition) };
    case 'BudgetDeleted':
      return { before: before(), after: null };
    case 'BudgetCounted':
      return { data: { through: event.data.through, complete: event.data.complete } };
    default:
      return { data: withoutBudget(event.data) };
  }
};

const withoutBudget = (data: object): object => Object.fromEntries(Object.entries(data).filter(([key]) => key !== 'budgetId'));
