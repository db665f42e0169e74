import type { AlertRaisedData, EventMeta } from '@bursar/contracts';
import type { Generated } from 'kysely';
import type { Count, Instant, Json } from './column-types.js';

/** Alerts, and how far they are published. */
export interface AlertTables {
  'alerting.beginning': AlertingBeginningTable;
  'alerting.alert': AlertTable;
  'alerting.acknowledgement': AcknowledgementTable;
  'alerting.published_stream': PublishedStreamTable;
}

interface AlertingBeginningTable {
  partition: number;
  position: Count;
}

interface AlertTable {
  tenant: string;
  alert_id: string;
  partition: number;
  position: Count;
  revision: Count;
  cause_position: Count;
  event: string;
  type: string;
  severity: AlertRaisedData['severity'];
  source: string;
  budget_id: string | null;
  period_start: Instant | null;
  data: Json<AlertRaisedData>;
  meta: Json<EventMeta>;
  created_at: Instant;
  raised_at: Instant;
  suppressed: Generated<boolean>;
  published_sequence: Count | null;
}

interface AcknowledgementTable {
  tenant: string;
  alert_id: string;
  by_actor: string | null;
  at: Instant;
  position: Count;
}

interface PublishedStreamTable {
  only_row: Generated<boolean>;
  stream_created: string;
}
