import type { UsageListQuery } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import type { Answer } from '../../features/answer.js';
import { BudgetSpend } from '../../features/budget-spend.js';
import { BudgetUsage } from '../../features/budget-usage.js';
import type { CommandContext } from '../../features/command-context.js';
import { RecordBudgetUsage } from '../../features/record-budget-usage.js';
import type { Sender } from '../../features/usage-intake.js';
import type { Breakdown, ById, Summary } from './inputs.js';
import { Command, Input, Operation } from './operation.js';
import { SenderOf } from './sender.js';

@Controller()
export class BudgetUsageController {
  constructor(
    private readonly usage: BudgetUsage,
    private readonly spend: BudgetSpend,
    private readonly recordUsage: RecordBudgetUsage,
  ) {}

  @Operation('listBudgetUsage', 'budget')
  list(@Input() { params, query }: ById & { query: z.output<typeof UsageListQuery> }, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.usage.page(tenant, params.id, query);
  }

  @Operation('recordBudgetUsage')
  record(
    @Input() { params, body }: ById & { body: Readonly<Record<string, unknown>> },
    @Command() context: CommandContext,
    @SenderOf() sender: Sender,
  ): Promise<Answer> {
    return this.recordUsage.execute(context, params.id, body, sender);
  }

  @Operation('getBudgetUsageSummary', 'breakdown')
  summary(@Input() { params, query }: ById & Summary, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.spend.summary(tenant, params.id, query);
  }

  @Operation('getBudgetUsageBreakdown', 'breakdown')
  breakdown(@Input() { params, query }: ById & Breakdown, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.spend.breakdown(tenant, params.id, query);
  }
}
