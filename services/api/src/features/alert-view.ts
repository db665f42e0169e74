import { type AlertView, crossingAlert, showAlert } from '@bursar/contracts/folds';
import type { AlertRow } from '../adapters/sql/alerts.js';
import { positionText } from '../adapters/sql/snapshot.js';

/** As old as the event that caused it, where that is known: a crossing is decided with it and told a moment later. */
export const showAlertRow = (row: AlertRow, partition: number): AlertView => {
  const { alert_id, crossing, crossed_at, acknowledged_at, acknowledged_by, cleared_at, suppressed, position, revision } = row;
  const data = row.data ?? (crossing === null || crossed_at === null ? null : crossingAlert(alert_id, crossing, crossed_at));
  if (data === null) throw new Error('an alert is recorded, or a crossing');
  return showAlert(
    { ...data, at: crossed_at ?? data.at },
    {
      position: position === null ? null : positionText(partition, position),
      revision,
      acknowledgement: acknowledged_at === null ? null : { by: acknowledged_by, at: acknowledged_at },
      clearedAt: cleared_at,
      suppressed,
    },
  );
};
