import { type Principal, Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { SettingsOfTenant } from './settings-of-tenant.js';

/** `budget:override` (PRODUCT B10): platform admins have it, tenant admins where the tenant's settings say so. */
@Injectable()
export class OverridePermission {
  constructor(private readonly settings: SettingsOfTenant) {}

  /** Throws 403. */
  async require({ roles, tenant }: Pick<Principal, 'roles' | 'tenant'>): Promise<void> {
    if (roles.includes('platform-admin')) return;
    if (roles.includes('tenant-admin') && (await this.settings.of(tenant)).tenantAdminMayOverride) return;
    throw new Problem('forbidden', 'Overrides are granted by platform admins, and by tenant admins where the tenant allows it.');
  }
}
