import { type EventOf, type LedgerEvent, parsePicos, rootScope } from '@bursar/contracts';

type Threshold = { percent: bigint; crossed: boolean; episode: number };
type Budget = { scope: string; limit: bigint; spend: bigint; events: number; thresholds: Map<string, Threshold> };

export type Verdict = Readonly<{
  /** By budget. */
  balances: ReadonlyMap<string, Readonly<{ spend: bigint; events: number }>>;
  /** `budget threshold crossed|cleared episode @position`, as it must be. */
  due: readonly string[];
  /** The same, as the ledger says. */
  said: readonly string[];
  /** Thresholds that are crossed at the end, `budget threshold episode`. */
  standing: readonly string[];
}>;

/**
 * What one tenant's events mean, by nothing but bigint and the order of the ledger: every sum, and every crossing with the event that
 * caused it. As plain as the load that makes them: one currency, one period, budgets before usage, a tree that does not change.
 */
export const judge = (tenant: string, events: readonly LedgerEvent[]): Verdict => {
  const budgets = new Map<string, Budget>();
  const teamOf = new Map<string, readonly string[]>();
  const due: string[] = [];
  const said: string[] = [];
  const decide = (id: string, budget: Budget, position: number): void => {
    for (const [key, one] of budget.thresholds) {
      const reached = budget.spend * 100n >= one.percent * budget.limit;
      if (reached === one.crossed) continue;
      due.push(`${id} ${key} ${reached ? 'crossed' : 'cleared'} ${one.episode} @${position}`);
      one.crossed = reached;
      if (!reached) one.episode += 1;
    }
  };
  for (const event of events) {
    switch (event.type) {
      case 'ScopeRegistered':
        teamOf.set(event.data.scope, event.data.parents);
        break;
      case 'BudgetCreated':
        budgets.set(event.data.budgetId, newBudget(event.data.definition));
        break;
      case 'BudgetChanged': {
        const budget = budgets.get(event.data.budgetId);
        if (budget === undefined) break;
        budget.limit = limitOf(event.data.definition);
        decide(event.data.budgetId, budget, event.position);
        break;
      }
      case 'UsageRecorded': {
        const path = new Set([rootScope(tenant), ...event.data.scopes, ...event.data.scopes.flatMap((scope) => teamOf.get(scope) ?? [])]);
        for (const [id, budget] of budgets) {
          if (!path.has(budget.scope)) continue;
          budget.spend += parsePicos(event.data.cost?.amount ?? '0');
          budget.events += 1;
          decide(id, budget, event.position);
        }
        break;
      }
      case 'ThresholdCrossed':
      case 'ThresholdCleared': {
        const { budgetId, threshold, episode, causePosition } = event.data;
        said.push(`${budgetId} ${threshold} ${event.type === 'ThresholdCrossed' ? 'crossed' : 'cleared'} ${episode} @${causePosition}`);
        break;
      }
      default:
        break;
    }
  }
  const standing = [...budgets].flatMap(([id, { thresholds }]) =>
    [...thresholds].filter(([, { crossed }]) => crossed).map(([key, { episode }]) => `${id} ${key} ${episode}`),
  );
  return { balances: budgets, due, said, standing };
};

type Definition = EventOf<'BudgetCreated'>['data']['definition'];

const newBudget = (definition: Definition): Budget => ({
  scope: definition.scope,
  limit: limitOf(definition),
  spend: 0n,
  events: 0,
  thresholds: new Map(
    definition.thresholds.map(({ percent = '0' }) => [`${percent}%`, { percent: BigInt(percent), crossed: false, episode: 1 }]),
  ),
});

const limitOf = ({ limit }: Definition): bigint => parsePicos(limit.amount ?? '0');
