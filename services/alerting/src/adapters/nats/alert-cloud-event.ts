import { showAlert } from '@bursar/contracts/folds';
import type { RecordedAlert } from '../../features/ports.js';

/** The alert as subscribers get it (message `alert` of the bus contract): CloudEvents 1.0, JSON format; `revision` has no gaps, so a reader can prove that nothing is missing. */
export const alertCloudEvent = ({ tenant, partition, position, revision, raisedAt, data, meta }: RecordedAlert): object => ({
  specversion: '1.0',
  id: data.alertId,
  source: `/bursar/alerts/${tenant}`,
  type: `bursar.${data.event}.v1`,
  subject: data.budgetId === null ? (data.scope ?? tenant) : `budget/${data.budgetId}`,
  time: raisedAt,
  datacontenttype: 'application/json',
  ...(meta.traceparent !== undefined && { traceparent: meta.traceparent }),
  ...(meta.traceparent !== undefined && meta.tracestate !== undefined && { tracestate: meta.tracestate }),
  revision: String(revision),
  data: showAlert(data, { position: `${partition}:${position}`, revision }),
});
