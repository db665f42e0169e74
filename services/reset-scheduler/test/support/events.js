export const TENANT = 'acme';
export const BUDGET = {
  name: 'AI Operations',
  scope: 'team:ml',
  limit: { amount: '100', currency: 'USD' },
  period: { kind: 'monthly', timezone: 'UTC', recurring: true },
  thresholds: [{ percent: '80', severity: 'warning', actions: ['notify'] }],
  levels: {},
  enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
};
/** An event as a fold sees it, recorded at an instant (RFC 3339). */
export const recorded = (type, position, recordedAt, data) => ({
  partition: 0,
  position,
  stream: 'spec',
  revision: position - 1,
  id: `event-${position}`,
  type,
  recordedAt,
  meta: { tenant: TENANT },
  data,
});
//# sourceMappingURL=events.js.map
