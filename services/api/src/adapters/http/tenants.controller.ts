import type { TenantBudgetInput, TenantOverrideInput, TenantSettingsInput } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { Answer } from '../../features/answer.js';
import type { CommandContext } from '../../features/command-context.js';
import { OverridePermission } from '../../features/override-permission.js';
import { SettingsOfTenant } from '../../features/settings-of-tenant.js';
import { TenantBudget } from '../../features/tenant-budget.js';
import { IfMatchHeader } from './if-match-header.js';
import { Command, Input, Operation } from './operation.js';

type ByTenant = Readonly<{ params: { tenantId: string } }>;

/** What is said of a tenant as a whole. The context acts on the tenant of the address. */
@Controller()
export class TenantsController {
  constructor(
    private readonly settings: SettingsOfTenant,
    private readonly budget: TenantBudget,
    private readonly permission: OverridePermission,
  ) {}

  @Operation('getTenantSettings')
  get(@Input() { params }: ByTenant): Promise<Answer> {
    return this.settings.get(params.tenantId);
  }

  @Operation('putTenantSettings')
  put(
    @Input() { body }: { body: TenantSettingsInput },
    @Command() context: CommandContext,
    @IfMatchHeader() ifMatch: IfMatchHeader,
  ): Promise<Answer> {
    return this.settings.put(context, body, ifMatch);
  }

  @Operation('setTenantBudget')
  setBudget(
    @Input() { body }: { body: TenantBudgetInput },
    @Command() context: CommandContext,
    @IfMatchHeader() ifMatch: IfMatchHeader,
  ): Promise<Answer> {
    return this.budget.put(context, body, ifMatch);
  }

  @Operation('setTenantBudgetUnprefixed')
  setBudgetUnprefixed(
    @Input() input: { body: TenantBudgetInput },
    @Command() context: CommandContext,
    @IfMatchHeader() ifMatch: IfMatchHeader,
  ): Promise<Answer> {
    return this.setBudget(input, context, ifMatch);
  }

  @Operation('grantTenantOverride')
  async grant(
    @Input() { params, body }: ByTenant & { body: TenantOverrideInput },
    @Command() context: CommandContext,
    @Caller() { roles }: Principal,
  ): Promise<Answer> {
    await this.permission.require({ roles, tenant: params.tenantId });
    return this.budget.grant(context, body);
  }

  @Operation('grantTenantOverrideUnprefixed')
  grantUnprefixed(
    @Input() input: ByTenant & { body: TenantOverrideInput },
    @Command() context: CommandContext,
    @Caller() caller: Principal,
  ): Promise<Answer> {
    return this.grant(input, context, caller);
  }

  @Operation('revokeTenantOverride')
  async revoke(@Input() { params }: ByTenant, @Command() context: CommandContext, @Caller() { roles }: Principal): Promise<Answer> {
    await this.permission.require({ roles, tenant: params.tenantId });
    return this.budget.revoke(context);
  }

  @Operation('revokeTenantOverrideUnprefixed')
  revokeUnprefixed(@Input() input: ByTenant, @Command() context: CommandContext, @Caller() caller: Principal): Promise<Answer> {
    return this.revoke(input, context, caller);
  }
}
