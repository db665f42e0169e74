import type { AlertRaisedData } from '@bursar/contracts';

/** RELIABILITY §5: no payload is larger. */
const MAX_BYTES = 20 * 1_024;

/**
 * The body of a webhook and a line of an NDJSON file (API.md, Alerts). Amounts are decimal text of `currency`. What could make it too
 * long (lists of models, scopes of a blocked call) is left out then, and `truncated` says so.
 */
export const webhookBody = (tenant: string, alert: AlertRaisedData): string => {
  const { actions = [], percent, timezone: _zone, next, allowedModels, downgrade, refused, unpriced, ...details } = alert.details;
  const small = {
    tenant,
    budget: alert.budgetId === null ? null : { id: alert.budgetId, name: alert.budgetName, scope: alert.scope },
    alertId: alert.alertId,
    type: alert.type,
    severity: alert.severity,
    message: alert.message,
    ...(percent !== undefined && { percent: Number(percent) }),
    ...details,
    resetAt: details.oneOff === true ? null : details.periodEnd,
    actions,
    source: alert.source,
  };
  const body = (data: object): string => JSON.stringify({ type: alert.event, timestamp: alert.at, data });
  const whole = body({
    ...small,
    next,
    ...(allowedModels !== undefined && { allowedModels }),
    ...(downgrade !== undefined && { downgrade }),
    ...(refused !== undefined && { refused }),
    ...(unpriced !== undefined && { unpriced }),
  });
  return Buffer.byteLength(whole) <= MAX_BYTES ? whole : body({ ...small, truncated: true });
};
