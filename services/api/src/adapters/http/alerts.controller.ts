import type { AlertListQuery } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import { Alerts } from '../../features/alerts.js';
import type { Answer } from '../../features/answer.js';
import type { CommandContext } from '../../features/command-context.js';
import type { ById, Paged } from './inputs.js';
import { Command, Input, Operation } from './operation.js';

type Reasoned = Readonly<{ body: { reason?: string } }>;

@Controller()
export class AlertsController {
  constructor(private readonly alerts: Alerts) {}

  @Operation('listAlerts', 'budget', 'alerting')
  list(@Input() { query }: { query: AlertListQuery }, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.alerts.list(tenant, query);
  }

  @Operation('getAlert', 'budget', 'alerting')
  one(@Input() { params }: ById, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.alerts.one(tenant, params.id);
  }

  @Operation('listDeliveries')
  deliveries(@Input() { params, query }: ById & Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.alerts.deliveries(tenant, params.id, query);
  }

  @Operation('acknowledgeAlert')
  acknowledge(@Input() { params, body }: ById & Reasoned, @Command() context: CommandContext): Promise<Answer> {
    return this.alerts.acknowledge(context, params.id, body.reason ?? null);
  }

  @Operation('acknowledgeBudgetAlert')
  acknowledgeOfBudget(
    @Input() { params, body }: Readonly<{ params: { id: string; alertId: string } }> & Reasoned,
    @Command() context: CommandContext,
  ): Promise<Answer> {
    return this.alerts.acknowledge(context, params.alertId, body.reason ?? null, params.id);
  }
}
