import { type EpochNs, type EventOf, type LedgerEvent, parseInstant } from '@bursar/contracts';
import { completesPrices, type DefinitionEvent, findBudget } from '@bursar/contracts/folds';
import type { BudgetFold, PeriodState } from '../../domain/budget-fold.js';
import { decideCrossings } from '../../domain/decide-crossings.js';
import { foldDefinition } from '../../domain/fold-definition.js';
import { touch } from '../../domain/posting.js';
import type { TenantFold } from '../../domain/tenant-fold.js';
import type { Waiting } from '../../domain/waiting.js';
import type { Flush, OpenChanges } from './open-changes.js';

/** Charges what waits for what came in. */
export type Settle = (tenant: TenantFold, reason: Waiting['reason'], event: LedgerEvent) => Promise<void>;

/** Folds definitions, prices and rates, and judges open periods where a definition or the clock gives reason to. */
export class DefinitionsFold {
  constructor(
    private readonly open: OpenChanges,
    private readonly settle: Settle,
  ) {}

  async change(event: DefinitionEvent, flush: Flush): Promise<void> {
    const { open } = this;
    const tenant = await open.memory.tenant(event.meta.tenant);
    // Histories may run ahead: whether the tables must be complete first depends on what the event means.
    if (open.attempt(event, () => evolved(tenant, event)) === null) return;
    open.memory.grown(tenant);
    if (recounts(tenant, event) || (releasesWaiting(event) && open.lackWaiting)) await flush();
    const followUp = open.attempt(event, () => foldDefinition(tenant, event, open.now));
    if (followUp === null) return;
    if (followUp.effect === 'reset') await this.#cut(followUp.budget, event);
    if (followUp.effect === 'judge' || followUp.effect === 'reset') await this.#judge(followUp.budget, event);
    if (followUp.effect === 'price' || followUp.effect === 'rate') await this.settle(tenant, followUp.effect, event);
  }

  /** What the clock did to a budget is news at the position where the ledger tells of it: its open periods are judged again. */
  async judgeAgain(event: EventOf<'OverrideExpired' | 'PeriodRestated'>): Promise<void> {
    const budget = (await this.open.memory.tenant(event.meta.tenant)).budgets.get(event.data.budgetId);
    if (budget !== undefined) await this.#judge(budget, event);
  }

  /** A reset by hand ended the open period: what was spent in it stays, and its row ends sooner. */
  async #cut(budget: BudgetFold, event: LedgerEvent): Promise<void> {
    const ended = budget.periodAt(parseInstant(event.recordedAt) - 1n);
    if (ended === null) return;
    await this.open.memory.load([{ budget, period: ended }]);
    const state = budget.periods.get(ended.start);
    if (state !== undefined && state.position > 0) touch(state, event, this.open.now, this.open.memory.step);
  }

  /** Only periods that have not ended: a limit edited later leaves closed ones as they were judged. */
  async #judge(budget: BudgetFold, event: LedgerEvent): Promise<void> {
    if (budget.countedPosition === null) return;
    const now = parseInstant(event.recordedAt);
    await this.open.memory.loadEndingAfter(budget, now);
    for (const period of inOrder(budget, now)) {
      period.usedAt = this.open.memory.step;
      decideCrossings(period, event, this.open.now);
    }
  }
}

const evolved = (tenant: TenantFold, event: DefinitionEvent): true => {
  tenant.history.evolve(event);
  return true;
};

/** Does the event make a budget count something else? What the tables hold of it is then forgotten. */
const recounts = (tenant: TenantFold, event: DefinitionEvent): boolean =>
  event.type === 'BudgetChanged' &&
  tenant.budgets.has(event.data.budgetId) &&
  findBudget(tenant.history.definitions, event.data.budgetId)?.definedPosition === event.position;

const releasesWaiting = (event: DefinitionEvent): boolean => event.type === 'ExchangeRateSet' || completesPrices(event);

const inOrder = (budget: BudgetFold, endingAfter: EpochNs): readonly PeriodState[] =>
  [...budget.periods.values()].filter(({ period }) => period.end > endingAfter).sort((a, b) => (a.period.start < b.period.start ? -1 : 1));
