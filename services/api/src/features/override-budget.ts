import { budgetStream, derivedId, formatInstant, NS_PER_MS } from '@bursar/contracts';
import type { OverrideInput } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import { Streams } from '../adapters/store/streams.js';
import { type Grant, stateOf } from '../domain/override.js';
import { Rejection } from '../domain/rejection.js';
import { type Answer, ok } from './answer.js';
import type { CommandContext } from './command-context.js';
import { Cursors } from './cursors.js';
import { BUDGET, DecidedBudget } from './decided-budget.js';
import { type PageQuery, pageOf } from './paging.js';

/** Overrides of one budget (PRODUCT B10). They are read from its stream, so that a list is never behind a grant. */
@Injectable()
export class OverrideBudget {
  constructor(
    private readonly decided: DecidedBudget,
    private readonly streams: Streams,
    private readonly store: EventStore,
    private readonly cursors: Cursors,
  ) {}

  /** The id derives from the request's, so that the same request, sent again, is the same grant. */
  async grant(context: CommandContext, budgetId: string, input: OverrideInput): Promise<Answer> {
    const { amount = null, enforcement = null, duration, expiresAt, reason } = input;
    const overrideId = derivedId('override', context.tenant, budgetId, context.requestId);
    const now = await this.#now();
    const { state, partition, position } = await this.decided.run(context, {
      type: 'GrantOverride',
      budgetId,
      overrideId,
      amount,
      enforcement,
      ...(duration !== undefined && { duration }),
      ...(expiresAt !== undefined && { expiresAt }),
      reason,
      now,
    });
    const grant = state.status === 'Active' ? state.grants.find((known) => known.overrideId === overrideId) : undefined;
    // An earlier attempt of the same request made it, and the budget is gone since.
    if (grant === undefined) throw new Rejection('not_found', 'The budget has been deleted since.');
    return { status: 201, body: showGrant(grant, now), headers: { 'bursar-position': positionText(partition, position) } };
  }

  async revoke(context: CommandContext, budgetId: string, overrideId: string): Promise<Answer> {
    const { partition, position } = await this.decided.run(context, {
      type: 'RevokeOverride',
      budgetId,
      overrideId,
      now: await this.#now(),
    });
    return { status: 204, headers: { 'bursar-position': positionText(partition, position) } };
  }

  async revokeAll(context: CommandContext, budgetId: string): Promise<Answer> {
    const { partition, position } = await this.decided.run(context, { type: 'RevokeAllOverrides', budgetId, now: await this.#now() });
    return { status: 204, headers: { 'bursar-position': positionText(partition, position) } };
  }

  /** All there ever were, newest first. */
  async list(tenant: string, budgetId: string, query: PageQuery): Promise<Answer> {
    const { state } = await this.streams.load(budgetStream(tenant, budgetId), tenant, BUDGET);
    if (state.status !== 'Active') throw new Rejection('not_found', `There is no budget ${budgetId}.`);
    const now = await this.#now();
    const numbered = state.grants.map((grant, index) => ({ grant, index })).toReversed();
    const page = await pageOf(
      this.cursors,
      tenant,
      ['overrides', budgetId],
      query,
      async (after, limit) => numbered.filter(({ index }) => after === null || index < Number(after[0])).slice(0, limit),
      ({ index }) => [index],
      ({ grant }) => showGrant(grant, now),
    );
    return ok(page);
  }

  /** By the store's clock, which also says when what is decided now was recorded. */
  async #now(): Promise<string> {
    return formatInstant(BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS);
  }
}

const showGrant = (grant: Grant, now: string) => ({
  ...grant,
  amount: grant.amount?.amount ?? null,
  currency: grant.amount?.currency ?? null,
  state: stateOf(grant, now),
});
