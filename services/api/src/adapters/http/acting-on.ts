import { type Principal, Problem, type RouteInput } from '@bursar/platform';

/** Whose tenant an address names: the caller's own, or another one's for a platform admin. To anybody else that one is not there (404). */
export const actingOn = (caller: Principal, { params }: Pick<RouteInput, 'params'>): Principal => {
  const { tenantId } = (params ?? {}) as { tenantId?: string };
  if (tenantId === undefined || tenantId === caller.tenant) return caller;
  if (!caller.roles.includes('platform-admin')) throw new Problem('not_found', 'There is no such tenant.');
  return { ...caller, tenant: tenantId };
};
