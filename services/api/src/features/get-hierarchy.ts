import { formatPicos, parsePicos, partitionOf, rootScope, type ScopeRef, scopeId, scopeType, type WireMoney } from '@bursar/contracts';
import type { BudgetStatus } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { budgetsOn } from '../adapters/sql/budgets.js';
import { treeBelow } from '../adapters/sql/scope-tree.js';
import { onSnapshot } from '../adapters/sql/snapshot.js';
import { type ScopeSpend, totalSpend } from '../adapters/sql/spend.js';
import { loadStandings } from '../adapters/sql/standings.js';
import { type TreeNode, treeFrom } from '../domain/hierarchy.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';
import { showStatus } from './budget-view.js';

export type ShownBudget = Omit<BudgetStatus, 'budgetId'> & Readonly<{ id: string; name: string }>;
type ShownNode = Readonly<{
  scope: ScopeRef;
  type: string;
  id: string;
  name: string | null;
  /** All the scope ever spent, descendants included, by currency. */
  spend: readonly WireMoney[];
  /** Usage without a price yet, which is not in `spend`. */
  unpriced: number;
  budgets: readonly ShownBudget[];
  children: readonly ShownNode[];
  truncated?: true;
}>;
export type Details = Readonly<{
  names: ReadonlyMap<ScopeRef, string | null>;
  spend: ReadonlyMap<ScopeRef, readonly ScopeSpend[]>;
  budgets: ReadonlyMap<ScopeRef, readonly ShownBudget[]>;
}>;

/** Shown in one answer, nearest levels first: what is left out is asked for by its own address, and a large tenant gets an answer as fast. */
const MAX_SCOPES = 2_000;
const MAX_BUDGETS = 2_000;

/** The tree from a scope down with balances at every level (PRODUCT B3). */
@Injectable()
export class GetHierarchy {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly installation: Installation,
  ) {}

  execute(tenant: string, top: ScopeRef): Promise<Answer> {
    const root = rootScope(tenant);
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), async (trx, moment) => {
      const { registered, mentioned, cut } = await treeBelow(trx, tenant, top, MAX_SCOPES);
      const within = [...new Set([top, ...registered.map((row) => row.scope), ...mentioned])];
      const { rows, left } = await budgetsOn(trx, tenant, within, MAX_BUDGETS);
      const spend = await totalSpend(trx, tenant, within);
      const standings = await loadStandings(trx, tenant, rows, moment);
      const details: Details = {
        names: new Map(registered.map((row) => [row.scope, row.name])),
        spend: Map.groupBy(spend, (row) => row.scope),
        budgets: Map.groupBy(
          standings.map((standing) => showOnNode(standing.budget.name, showStatus(standing, moment))),
          (_, index) => rows[index]?.scope ?? '',
        ),
      };
      const tree = treeFrom(top, {
        root,
        registered: new Map(registered.map((row) => [row.scope, row.parents])),
        mentioned,
        cut: new Set([...cut, ...left]),
      });
      return ok(showNode(tree, details));
    });
  }
}

export const showOnNode = (name: string, { budgetId: id, ...status }: BudgetStatus): ShownBudget => ({ id, name, ...status });

export const showNode = ({ scope, children, truncated }: TreeNode, details: Details): ShownNode => ({
  scope,
  type: scopeType(scope),
  id: scopeId(scope),
  name: details.names.get(scope) ?? null,
  spend: (details.spend.get(scope) ?? []).filter(({ currency }) => currency !== '').map(toMoney),
  unpriced: (details.spend.get(scope) ?? []).reduce((sum, { unpriced }) => sum + unpriced, 0),
  budgets: details.budgets.get(scope) ?? [],
  children: children.map((child) => showNode(child, details)),
  ...(truncated && { truncated }),
});

const toMoney = ({ spend, currency }: ScopeSpend): WireMoney => ({
  amount: formatPicos(parsePicos(spend)),
  currency,
});
