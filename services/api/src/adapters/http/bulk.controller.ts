import type { BulkBody, TemplateBody } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import type { Answer } from '../../features/answer.js';
import { BulkBudgets } from '../../features/bulk-budgets.js';
import type { CommandContext } from '../../features/command-context.js';
import { ExportBudgets } from '../../features/export-budgets.js';
import { BudgetTemplates } from '../../features/templates.js';
import type { Paged } from './inputs.js';
import { Command, Input, Operation } from './operation.js';

@Controller()
export class BulkController {
  constructor(
    private readonly bulk: BulkBudgets,
    private readonly exported: ExportBudgets,
    private readonly templates: BudgetTemplates,
  ) {}

  @Operation('bulkBudgets')
  many(@Input() { body }: { body: z.output<typeof BulkBody> }, @Command() context: CommandContext): Promise<Answer> {
    return this.bulk.many(context, body.budgets);
  }

  @Operation('importBudgets')
  fromCsv(@Input() { body }: { body: string }, @Command() context: CommandContext): Promise<Answer> {
    return this.bulk.fromCsv(context, body);
  }

  @Operation('exportBudgets')
  toCsv(@Caller() { tenant }: Principal): Promise<Answer> {
    return this.exported.execute(tenant);
  }

  @Operation('listTemplates')
  list(@Input() { query }: Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.templates.list(tenant, query);
  }

  @Operation('deleteTemplate')
  remove(@Input() { params }: { params: { name: string } }, @Command() context: CommandContext): Promise<Answer> {
    return this.templates.remove(context, params.name);
  }

  @Operation('createTemplate')
  save(@Input() { body }: { body: z.output<typeof TemplateBody> }, @Command() context: CommandContext): Promise<Answer> {
    return this.templates.save(context, body);
  }
}
