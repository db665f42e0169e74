import type { OverrideInput } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { Answer } from '../../features/answer.js';
import { BudgetHistory } from '../../features/budget-history.js';
import type { CommandContext } from '../../features/command-context.js';
import { ListPeriods } from '../../features/list-periods.js';
import { ListResets } from '../../features/list-resets.js';
import { OverrideBudget } from '../../features/override-budget.js';
import { OverridePermission } from '../../features/override-permission.js';
import { PauseBudget } from '../../features/pause-budget.js';
import { RefreshCache } from '../../features/refresh-cache.js';
import { ResetBudget, type ResetInput } from '../../features/reset-budget.js';
import { IfMatchHeader } from './if-match-header.js';
import type { ById, Paged } from './inputs.js';
import { Command, Input, Operation } from './operation.js';

type Reasoned = Readonly<{ body: { reason?: string } }>;

/** What is done to a budget beside its definition: pause, resume, overrides, resets, the periods that come of them, and its history. */
@Controller()
export class BudgetControlsController {
  constructor(
    private readonly pauseBudget: PauseBudget,
    private readonly overrideBudget: OverrideBudget,
    private readonly resetBudget: ResetBudget,
    private readonly listPeriods: ListPeriods,
    private readonly listResets: ListResets,
    private readonly budgetHistory: BudgetHistory,
    private readonly refreshCache: RefreshCache,
    private readonly permission: OverridePermission,
  ) {}

  @Operation('pauseBudget')
  pause(@Input() { params, body }: ById & Reasoned, @Command() context: CommandContext): Promise<Answer> {
    return this.pauseBudget.pause(context, params.id, body.reason ?? null);
  }

  @Operation('resumeBudget')
  resume(@Input() { params, body }: ById & Reasoned, @Command() context: CommandContext): Promise<Answer> {
    return this.pauseBudget.resume(context, params.id, body.reason ?? null);
  }

  @Operation('resetBudget')
  reset(
    @Input() { params, body }: ById & { body: ResetInput },
    @Command() context: CommandContext,
    @IfMatchHeader() ifMatch: IfMatchHeader,
  ): Promise<Answer> {
    return this.resetBudget.execute(context, params.id, body, ifMatch);
  }

  @Operation('listBudgetPeriods', 'budget')
  periods(@Input() { params, query }: ById & Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.listPeriods.execute(tenant, params.id, query);
  }

  @Operation('listBudgetResets', 'budget')
  resets(@Input() { params, query }: ById & Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.listResets.execute(tenant, params.id, query);
  }

  @Operation('getBudgetHistory', 'budget')
  history(@Input() { params, query }: ById & Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.budgetHistory.page(tenant, params.id, query);
  }

  @Operation('refreshBudgetCache')
  refresh(@Input() { params }: ById, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.refreshCache.execute(tenant, params.id);
  }

  @Operation('grantOverride')
  async grant(
    @Input() { params, body }: ById & { body: OverrideInput },
    @Command() context: CommandContext,
    @Caller() caller: Principal,
  ): Promise<Answer> {
    await this.permission.require(caller);
    return this.overrideBudget.grant(context, params.id, body);
  }

  @Operation('listOverrides')
  overrides(@Input() { params, query }: ById & Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.overrideBudget.list(tenant, params.id, query);
  }

  @Operation('revokeOverride')
  async revoke(
    @Input() { params }: { params: { id: string; overrideId: string } },
    @Command() context: CommandContext,
    @Caller() caller: Principal,
  ): Promise<Answer> {
    await this.permission.require(caller);
    return this.overrideBudget.revoke(context, params.id, params.overrideId);
  }
}
