import type { BudgetInput, BudgetPatch } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { Answer } from '../../features/answer.js';
import { ChangeBudget } from '../../features/change-budget.js';
import type { CommandContext } from '../../features/command-context.js';
import { CreateBudget } from '../../features/create-budget.js';
import { DeleteBudget } from '../../features/delete-budget.js';
import { GetBudget } from '../../features/get-budget.js';
import { GetHierarchy } from '../../features/get-hierarchy.js';
import { GetPast } from '../../features/get-past.js';
import { ListBudgets } from '../../features/list-budgets.js';
import { IfMatchHeader } from './if-match-header.js';
import { type BudgetsQuery, type ById, type ByScope, type Paged, type PastOrNow, scopeAt } from './inputs.js';
import { Command, Input, Operation, Sent } from './operation.js';

@Controller()
export class BudgetsController {
  constructor(
    private readonly createBudget: CreateBudget,
    private readonly changeBudget: ChangeBudget,
    private readonly deleteBudget: DeleteBudget,
    private readonly getBudget: GetBudget,
    private readonly listBudgets: ListBudgets,
    private readonly getHierarchy: GetHierarchy,
    private readonly getPast: GetPast,
  ) {}

  @Operation('createBudget')
  create(@Input() { body }: { body: BudgetInput }, @Sent() sent: unknown, @Command() context: CommandContext): Promise<Answer> {
    return this.createBudget.execute(context, sent, body);
  }

  @Operation('listBudgets', 'budget')
  list(@Input() { query }: BudgetsQuery, @Caller() { tenant }: Principal): Promise<Answer> {
    const { limit, cursor, status, scopeType, scopeId, period, q } = query;
    return this.listBudgets.execute(tenant, { limit, cursor, status, filter: { scopeType, scopeId, kind: period, text: q } });
  }

  @Operation('getBudget', 'budget')
  get(@Input() input: ById & PastOrNow, @Caller() { tenant }: Principal): Promise<Answer> {
    const { params, query } = input;
    return query.asOf === undefined ? this.getBudget.whole(tenant, params.id) : this.getPast.whole(tenant, params.id, query.asOf);
  }

  @Operation('getBudgetStatus', 'budget')
  status(@Input() input: ById & PastOrNow, @Caller() { tenant }: Principal): Promise<Answer> {
    const { params, query } = input;
    return query.asOf === undefined ? this.getBudget.status(tenant, params.id) : this.getPast.status(tenant, params.id, query.asOf);
  }

  @Operation('listBudgetReservations', 'budget')
  reservations(@Input() { params, query }: ById & Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.getBudget.reservations(tenant, params.id, query);
  }

  @Operation('listBudgetAlerts', 'budget')
  alerts(@Input() { params, query }: ById & Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.getBudget.alerts(tenant, params.id, query);
  }

  @Operation('replaceBudget')
  replace(
    @Input() { params, body }: ById & { body: BudgetInput },
    @Command() context: CommandContext,
    @IfMatchHeader() ifMatch: IfMatchHeader,
  ): Promise<Answer> {
    return this.changeBudget.replace(context, params.id, body, ifMatch);
  }

  @Operation('patchBudget')
  patch(
    @Input() { params, body }: ById & { body: BudgetPatch },
    @Command() context: CommandContext,
    @IfMatchHeader() ifMatch: IfMatchHeader,
  ): Promise<Answer> {
    return this.changeBudget.patch(context, params.id, body, ifMatch);
  }

  @Operation('deleteBudget')
  remove(@Input() { params }: ById, @Command() context: CommandContext, @IfMatchHeader() ifMatch: IfMatchHeader): Promise<Answer> {
    return this.deleteBudget.execute(context, params.id, ifMatch);
  }

  @Operation('listBudgetsOfScope', 'budget')
  ofScope(@Input() { params, query }: ByScope & Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    const { limit, cursor } = query;
    return this.listBudgets.execute(tenant, { limit, cursor, filter: { scope: scopeAt(tenant, params) } });
  }

  @Operation('getHierarchy', 'budget', 'breakdown')
  hierarchy(@Input() { params, query }: ByScope & PastOrNow, @Caller() { tenant }: Principal): Promise<Answer> {
    const scope = scopeAt(tenant, params);
    return query.asOf === undefined ? this.getHierarchy.execute(tenant, scope) : this.getPast.hierarchy(tenant, scope, query.asOf);
  }
}
