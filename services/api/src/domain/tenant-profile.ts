import { type BudgetDefinition, rootScope } from '@bursar/contracts';
import type { BudgetPatch, TenantBudgetInput } from '@bursar/contracts/http';
import type { Template } from './templates.js';

/** How the tenant profile (PRODUCT B6) says what a budget says. */
export type TenantProfile = Readonly<{
  tenantId: string;
  maxBudget: string;
  alertThreshold: number;
  graceThreshold: number;
  budgetDuration: string;
}>;

/** What of a budget the profile's fields change; what is left out is not in it. */
export const profilePatch = ({ maxBudget, alertThreshold, graceThreshold, budgetDuration }: TenantBudgetInput): BudgetPatch => ({
  ...(maxBudget !== undefined && { limit: { amount: maxBudget } }),
  ...(alertThreshold !== undefined && {
    thresholds: [
      ...(alertThreshold < 100 ? [{ percent: alertThreshold, severity: 'warning' }] : []),
      { percent: 100, severity: 'critical' },
    ],
    levels: { yellow: alertThreshold, orange: null, red: 100 },
  }),
  ...(graceThreshold !== undefined && { enforcement: { blockAtPercent: graceThreshold } }),
  ...(budgetDuration !== undefined && { period: { kind: 'rolling', length: budgetDuration } }),
});

/** The body of the tenant's first budget, for the schema to judge: the template with what was said, from the tenant's creation on. */
export const profileBody = (tenant: string, { budget }: Template, patch: BudgetPatch, createdAt: string): Record<string, unknown> => {
  const merged: Record<string, unknown> = { name: 'Tenant budget', ...budget, ...patch, scope: rootScope(tenant) };
  merged.enforcement = { ...objectOf(budget.enforcement), ...objectOf(patch.enforcement) };
  const period = objectOf(merged.period);
  if (period.kind === 'rolling' && period.anchor === undefined) merged.period = { ...period, anchor: createdAt };
  return merged;
};

export const profileOf = (tenantId: string, { limit, thresholds, enforcement, period }: BudgetDefinition): TenantProfile => ({
  tenantId,
  maxBudget: limit.amount ?? '0',
  alertThreshold: Number(thresholds.find(({ severity, percent }) => severity === 'warning' && percent !== undefined)?.percent ?? 100),
  graceThreshold: enforcement.blockAtPercent,
  budgetDuration: period.length ?? period.kind,
});

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
