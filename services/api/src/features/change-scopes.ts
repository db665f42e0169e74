import type { ScopeRef } from '@bursar/contracts';
import type { ScopeBody, ScopePatch } from '@bursar/contracts/http';
import { Injectable } from '@nestjs/common';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedScope } from './decided-scope.js';
import type { IfMatch } from './if-match.js';

/** The registry's three commands: register, change (PATCH moves and describes), remove. */
@Injectable()
export class ChangeScopes {
  constructor(private readonly decided: DecidedScope) {}

  register(context: CommandContext, body: ScopeBody): Promise<Answer> {
    return this.decided.run(context, { type: 'RegisterScope', ...body }, 201);
  }

  change(context: CommandContext, scope: ScopeRef, patch: ScopePatch, ifMatch: IfMatch): Promise<Answer> {
    return this.decided.run(context, { type: 'ChangeScope', scope, ...patch }, 200, ifMatch);
  }

  remove(context: CommandContext, scope: ScopeRef, ifMatch: IfMatch): Promise<Answer> {
    return this.decided.run(context, { type: 'RemoveScope', scope }, 204, ifMatch);
  }
}
