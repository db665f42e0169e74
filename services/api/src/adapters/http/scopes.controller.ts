import type { ScopeBody, ScopePatch } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { Answer } from '../../features/answer.js';
import { ChangeScopes } from '../../features/change-scopes.js';
import type { CommandContext } from '../../features/command-context.js';
import { ListScopes } from '../../features/list-scopes.js';
import { ScopeSpend } from '../../features/scope-spend.js';
import { IfMatchHeader } from './if-match-header.js';
import { type Breakdown, type ByScope, type ScopesQuery, type Summary, scopeAt } from './inputs.js';
import { Command, Input, Operation } from './operation.js';

@Controller()
export class ScopesController {
  constructor(
    private readonly changeScopes: ChangeScopes,
    private readonly listScopes: ListScopes,
    private readonly scopeSpend: ScopeSpend,
  ) {}

  @Operation('createScope')
  register(@Input() { body }: { body: ScopeBody }, @Command() context: CommandContext): Promise<Answer> {
    return this.changeScopes.register(context, body);
  }

  @Operation('listScopes', 'budget')
  list(@Input() { query }: ScopesQuery, @Caller() { tenant }: Principal): Promise<Answer> {
    const { limit, cursor, type, parent, q } = query;
    return this.listScopes.page(tenant, { limit, cursor }, { type, parent, text: q });
  }

  @Operation('getScope', 'budget')
  get(@Input() { params }: ByScope, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.listScopes.one(tenant, scopeAt(tenant, params));
  }

  @Operation('patchScope')
  change(
    @Input() { params, body }: ByScope & { body: ScopePatch },
    @Command() context: CommandContext,
    @IfMatchHeader() ifMatch: IfMatchHeader,
  ): Promise<Answer> {
    return this.changeScopes.change(context, scopeAt(context.tenant, params), body, ifMatch);
  }

  @Operation('deleteScope')
  remove(@Input() { params }: ByScope, @Command() context: CommandContext, @IfMatchHeader() ifMatch: IfMatchHeader): Promise<Answer> {
    return this.changeScopes.remove(context, scopeAt(context.tenant, params), ifMatch);
  }

  @Operation('getScopeBreakdown', 'breakdown')
  breakdown(@Input() { params, query }: ByScope & Breakdown, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.scopeSpend.breakdown(tenant, scopeAt(tenant, params), query);
  }

  @Operation('getScopeSummary', 'breakdown')
  summary(@Input() { params, query }: ByScope & Summary, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.scopeSpend.summary(tenant, scopeAt(tenant, params), query);
  }

  /** The same under the other address that API.md can be read to name. */
  @Operation('getScopeUsageSummary', 'breakdown')
  usageSummary(@Input() input: ByScope & Summary, @Caller() caller: Principal): Promise<Answer> {
    return this.summary(input, caller);
  }
}
