import { isTenantId } from '@bursar/contracts';
import { Problem } from '../http/problem.js';
import type { Principal } from './principal.js';

export const TENANT_HEADER = 'bursar-tenant';

/** The principal acting on the tenant the header names. 400 `tenant` when it is not a tenant id, 403 when that is not his to choose. */
export const actOn = (principal: Principal, header: string | readonly string[] | undefined): Principal => {
  if (header === undefined) return principal;
  if (!isTenantId(header)) throw new Problem('tenant', 'Bursar-Tenant is not a tenant id.');
  if (header === principal.tenant) return principal;
  if (!principal.roles.includes('platform-admin')) throw new Problem('forbidden', 'Only a platform admin may act on another tenant.');
  return { ...principal, tenant: header };
};
