import { formatInstant, parseInstant, rootScope, type ScopeRef } from '@bursar/contracts';
import { type BudgetState, type BudgetStatus, findBudget, isVoided, listBudgets, listScopes, settledCharge } from '@bursar/contracts/folds';
import type { AsOf } from '@bursar/contracts/http';
import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { positionText } from '../adapters/sql/snapshot.js';
import type { ScopeSpend } from '../adapters/sql/spend.js';
import { Pasts, type Stamp } from '../adapters/store/past.js';
import { UsageWalk } from '../adapters/store/usage-walk.js';
import { toAlert } from '../domain/alert.js';
import type { Decided, Then } from '../domain/budget-as-of.js';
import { treeFrom } from '../domain/hierarchy.js';
import { ScopeSums, within } from '../domain/scope-sums.js';
import { type Answer, etag, ok } from './answer.js';
import { showDefinition } from './budget-view.js';
import { showNode, showOnNode } from './get-hierarchy.js';
import { LongReads } from './long-reads.js';
import { type Budgets, PastBudgets } from './past-budgets.js';
import { ALL, UsageScan } from './usage-scan.js';

/** Alerts shown with a budget: the last few (PRODUCT G2). */
const ALERTS_SHOWN = 5;

/**
 * Status, budget and hierarchy as of a past instant or position (PRODUCT B14, J1), folded from the events by the pure folds that made
 * the live ones. What it reads is bounded by the usage of the current period then, for a hierarchy by all usage up to then.
 */
@Injectable()
export class GetPast {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly pasts: Pasts,
    private readonly budgets: PastBudgets,
    private readonly walk: UsageWalk,
    private readonly scan: UsageScan,
    private readonly long: LongReads,
  ) {}

  status(tenant: string, budgetId: string, asOf: AsOf): Promise<Answer> {
    return this.long.answer(['status', tenant, budgetId, asOf], async () =>
      ok(await this.statusAt(tenant, budgetId, await this.budgets.at(tenant, asOf))),
    );
  }

  /** At a moment that the projector has folded. Throws 404. */
  async statusAt(tenant: string, budgetId: string, moment: Then): Promise<BudgetStatus> {
    return (await this.#one(tenant, budgetId, moment)).status;
  }

  whole(tenant: string, budgetId: string, asOf: AsOf): Promise<Answer> {
    return this.long.answer(['budget', tenant, budgetId, asOf], () => this.#whole(tenant, budgetId, asOf));
  }

  hierarchy(tenant: string, top: ScopeRef, asOf: AsOf): Promise<Answer> {
    return this.long.answer(['hierarchy', tenant, top, asOf], () => this.#hierarchy(tenant, top, asOf));
  }

  async #whole(tenant: string, budgetId: string, asOf: AsOf): Promise<Answer> {
    const { state, status, stamps, alerts } = await this.#one(tenant, budgetId, await this.budgets.at(tenant, asOf));
    const [first, last] = [stamps[0], stamps.at(-1)];
    const body = {
      id: budgetId,
      ...showDefinition(state.definition),
      createdAt: canonical(first?.recordedAt),
      updatedAt: canonical(last?.recordedAt),
      createdBy: first?.actor ?? null,
      revision: last?.revision ?? 0,
      status,
      alerts,
    };
    return ok(body, { etag: etag(body.revision) });
  }

  async #hierarchy(tenant: string, top: ScopeRef, asOf: AsOf): Promise<Answer> {
    const moment = await this.budgets.at(tenant, asOf);
    const rows = await this.db.selectFrom('projection.budget').select('budget_id').where('tenant', '=', tenant).execute();
    const past = await this.pasts.load(
      tenant,
      rows.map((row) => row.budget_id),
    );
    const root = rootScope(tenant);
    const scopes = listScopes(past.definitions, moment.position);
    const inside = top === root ? null : within(top, scopes);
    const isInside = (scope: ScopeRef): boolean => inside === null || inside.has(scope);
    const states = listBudgets(past.definitions, moment.position).filter(({ definition }) => isInside(definition.scope));
    const budgets = await this.budgets.load(tenant, past, states, moment);
    const sums = new ScopeSums();
    for await (const { usage, corrections } of this.scan.usage(
      tenant,
      past,
      await this.walk.lastAt(tenant, moment.position),
      undefined,
      ALL,
    )) {
      for (const budget of budgets.all) budget.add(usage, corrections);
      if (isVoided(corrections)) continue;
      sums.add(settledCharge(usage, past.definitions, past.arrivals, moment.position, corrections));
    }
    const since = await this.#sinces(moment, budgets);
    const spend = sums.rows().filter(({ scope }) => isInside(scope));
    const shown = budgets.all.map((budget) => ({
      scope: budget.state.definition.scope,
      shown: showOnNode(budget.state.definition.name, budget.status(since)),
    }));
    const details = {
      names: new Map(scopes.filter(({ scope }) => isInside(scope)).map(({ scope, name }) => [scope, name ?? null])),
      spend: Map.groupBy(spend, (row: ScopeSpend) => row.scope),
      budgets: new Map([...Map.groupBy(shown, ({ scope }) => scope)].map(([scope, group]) => [scope, group.map((one) => one.shown)])),
    };
    const registered = new Map(scopes.filter(({ scope }) => isInside(scope)).map(({ scope, parents }) => [scope, parents]));
    const tree = treeFrom(top, { root, registered, mentioned: [...details.spend.keys(), ...details.budgets.keys()] });
    return ok(showNode(tree, details));
  }

  async #one(tenant: string, budgetId: string, moment: Then): Promise<One> {
    const past = await this.pasts.load(tenant, [budgetId]);
    const state = findBudget(past.definitions, budgetId, moment.position);
    if (state === null || state.deletedPosition !== null) throw new Problem('not_found', 'There was no such budget then.');
    const budgets = await this.budgets.load(tenant, past, [state], moment);
    const [budget] = budgets.all;
    if (budget === undefined) throw new Error('one budget has one past');
    if (budget.since !== null) {
      const last = await this.walk.lastAt(tenant, moment.position);
      for await (const { usage, corrections } of this.scan.usage(tenant, past, last, budget.since, ALL)) budget.add(usage, corrections);
    }
    const since = await this.#sinces(moment, budgets);
    const stamps = (past.stamps.get(budgetId) ?? []).filter(({ position }) => position <= moment.position);
    return { state, stamps, status: budget.status(since), alerts: alertsOf(budgets, budgetId, moment, since) };
  }

  #sinces(moment: Then, budgets: Budgets): Promise<(cause: number) => bigint> {
    const { all, decided } = budgets;
    const shown = all.length === 1 ? [...decided.values()].flatMap((some) => lastOf(some, moment.position)) : [];
    return this.budgets.sinces(moment, budgets, shown);
  }
}

type One = Readonly<{ state: BudgetState; stamps: readonly Stamp[]; status: BudgetStatus; alerts: readonly object[] }>;

const lastOf = (decided: readonly Decided[], position: number): readonly Decided[] =>
  decided
    .filter(({ type, data }) => type === 'ThresholdCrossed' && data.causePosition <= position)
    .slice(-ALERTS_SHOWN)
    .reverse();

const alertsOf = ({ decided }: Budgets, budgetId: string, moment: Then, since: (cause: number) => bigint): readonly object[] =>
  lastOf(decided.get(budgetId) ?? [], moment.position).map(({ id, data, position }) =>
    toAlert(
      id,
      data,
      formatInstant(since(data.causePosition)),
      position === null || position > moment.position ? null : positionText(moment.partition, position),
    ),
  );

const canonical = (recordedAt: string | undefined): string => formatInstant(recordedAt === undefined ? 0n : parseInstant(recordedAt));
