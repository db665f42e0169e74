import type { ChannelInput, ChannelPatch } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { Answer } from '../../features/answer.js';
import { Channels } from '../../features/channels.js';
import type { CommandContext } from '../../features/command-context.js';
import { IfMatchHeader } from './if-match-header.js';
import type { ById, Paged } from './inputs.js';
import { Command, Input, Operation } from './operation.js';

@Controller()
export class ChannelsController {
  constructor(private readonly channels: Channels) {}

  @Operation('createChannel')
  add(@Input() { body }: { body: ChannelInput }, @Command() context: CommandContext): Promise<Answer> {
    return this.channels.add(context, body);
  }

  @Operation('listChannels')
  list(@Input() { query }: Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.channels.list(tenant, query);
  }

  @Operation('getChannel')
  get(@Input() { params }: ById, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.channels.one(tenant, params.id);
  }

  @Operation('patchChannel')
  change(
    @Input() { params, body }: ById & { body: ChannelPatch },
    @Command() context: CommandContext,
    @IfMatchHeader() ifMatch: IfMatchHeader,
  ): Promise<Answer> {
    return this.channels.change(context, params.id, body, ifMatch);
  }

  @Operation('deleteChannel')
  remove(@Input() { params }: ById, @Command() context: CommandContext, @IfMatchHeader() ifMatch: IfMatchHeader): Promise<Answer> {
    return this.channels.remove(context, params.id, ifMatch);
  }
}
