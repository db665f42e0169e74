import type { NotificationTemplateInput } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { Answer } from '../../features/answer.js';
import type { CommandContext } from '../../features/command-context.js';
import { NotificationTemplates } from '../../features/notification-templates.js';
import { Command, Input, Operation } from './operation.js';

type ByEvent = Readonly<{ params: { event: string } }>;

@Controller()
export class NotificationTemplatesController {
  constructor(private readonly templates: NotificationTemplates) {}

  @Operation('getNotificationTemplate')
  get(@Input() { params }: ByEvent, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.templates.get(tenant, params.event);
  }

  @Operation('putNotificationTemplate')
  save(@Input() { params, body }: ByEvent & { body: NotificationTemplateInput }, @Command() context: CommandContext): Promise<Answer> {
    return this.templates.save(context, params.event, body);
  }

  @Operation('deleteNotificationTemplate')
  remove(@Input() { params }: ByEvent, @Command() context: CommandContext): Promise<Answer> {
    return this.templates.remove(context, params.event);
  }
}
