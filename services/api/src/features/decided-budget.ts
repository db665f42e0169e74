import { budgetStream, formatInstant, parseInstant } from '@bursar/contracts';
import type { BudgetControls } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { findBudget } from '../adapters/sql/budgets.js';
import { onSnapshot, positionText } from '../adapters/sql/snapshot.js';
import { type BudgetRow, loadStandings } from '../adapters/sql/standings.js';
import { type Aggregate, type Outcome, Streams } from '../adapters/store/streams.js';
import {
  type ActiveBudget,
  type Budget,
  type BudgetCommand,
  type BudgetEvent,
  decideBudget,
  evolveBudget,
  noBudget,
} from '../domain/budget.js';
import { Rejection } from '../domain/rejection.js';
import { type Answer, etag } from './answer.js';
import { showBudget } from './budget-view.js';
import type { CommandContext } from './command-context.js';
import { type IfMatch, requireMatch } from './if-match.js';
import { Settled } from './settled.js';
import { Unheld } from './unheld.js';

export const BUDGET: Aggregate<Budget> = { initial: () => noBudget, evolve: evolveBudget, live: false };

/** Where a command's events are. */
export type Placed = Omit<Outcome<Budget>, 'state'>;

/** Runs budget commands and answers the state they decided, once reads see it. */
@Injectable()
export class DecidedBudget {
  constructor(
    private readonly streams: Streams,
    private readonly settled: Settled,
    private readonly db: Kysely<Database>,
    private readonly unheld: Unheld,
  ) {}

  /** `ifMatch`: refuse with `precondition_failed` unless the budget is at that ETag. */
  async run(context: CommandContext, command: BudgetCommand, ifMatch: IfMatch = null): Promise<Outcome<Budget>> {
    const outcome = await this.#inItsCurrency(context, command, (decide) =>
      this.streams.transact(budgetStream(context.tenant, command.budgetId), context, BUDGET, ({ state, revision }) => {
        if (state.status === 'Active') requireMatch(ifMatch, revision);
        return decide(state);
      }),
    );
    await this.settled.at(outcome);
    return outcome;
  }

  /** Without waiting until reads see it: for one of many. */
  decide(context: CommandContext, command: BudgetCommand): Promise<Placed> {
    const stream = budgetStream(context.tenant, command.budgetId);
    if (command.type === 'CreateBudget') return this.streams.begin(stream, context, BUDGET, ({ state }) => decideBudget(command, state));
    return this.#inItsCurrency(context, command, (decide) => this.streams.transact(stream, context, BUDGET, ({ state }) => decide(state)));
  }

  /** What is held is an amount in the budget's currency: only a budget in which nothing is held takes another. 409 `in_use` otherwise. */
  async #inItsCurrency<T>(context: CommandContext, command: BudgetCommand, run: (decide: Decide) => Promise<T>): Promise<T> {
    try {
      return await run((state) => {
        const events = decideBudget(command, state);
        if (events.some((event) => changesCurrency(state, event))) throw new CurrencyChange();
        return events;
      });
    } catch (error) {
      if (!(error instanceof CurrencyChange)) throw error;
    }
    await this.unheld.require(context.tenant, command.budgetId);
    return run((state) => decideBudget(command, state));
  }

  async answer(tenant: string, outcome: Outcome<Budget>, status: number, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { state, revision, partition, position } = outcome;
    // An earlier attempt of the same request made it, and somebody deleted it since.
    if (state.status !== 'Active') throw new Rejection('not_found', 'The budget has been deleted since.');
    return onSnapshot(this.db, partition, async (trx, moment) => {
      const projected = await findBudget(trx, tenant, state.budgetId);
      const row = toRow(tenant, state, revision, position, projected);
      const [standing] = await loadStandings(trx, tenant, [row], moment);
      if (standing === undefined) throw new Error('one budget has one standing');
      return {
        status,
        body: showBudget(standing, moment),
        headers: { etag: etag(revision), 'bursar-position': positionText(partition, position), ...headers },
      };
    });
  }
}

type Decide = (state: Budget) => readonly BudgetEvent[];

/** Asks for what nobody has looked at yet. */
class CurrencyChange extends Error {}

const changesCurrency = (state: Budget, event: BudgetEvent): boolean =>
  state.status === 'Active' && event.type === 'BudgetChanged' && event.data.definition.limit.currency !== state.definition.limit.currency;

/** The row the projector makes of the same events, whether or not it has come to it yet. */
const toRow = (tenant: string, state: ActiveBudget, revision: number, position: number, projected: BudgetRow | undefined): BudgetRow => ({
  tenant,
  budget_id: state.budgetId,
  scope: state.definition.scope,
  name: state.definition.name,
  period_kind: state.definition.period.kind,
  definition: state.definition,
  revision,
  created_position: position,
  created_at: formatInstant(parseInstant(state.createdAt)),
  created_by: state.createdBy,
  updated_at: formatInstant(parseInstant(state.updatedAt)),
  deleted: false,
  controls: withAutomatic(state.controls, projected),
  terms: state.terms,
  counted_position: projected?.counted_position ?? null,
});

/** An automatic pause is the projector's to say: the budget's own stream does not know of it. */
const withAutomatic = (controls: BudgetControls, projected: BudgetRow | undefined): BudgetControls => {
  const automatic = projected?.controls.automatic;
  return automatic === undefined ? controls : { ...controls, automatic };
};
