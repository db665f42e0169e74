import type { EventOf } from '@bursar/contracts';
import type { Generated, JSONColumnType } from 'kysely';
import type { Count, Instant, Json } from './column-types.js';

/** Ends of periods: due, said and restated. */
export interface SchedulerTables {
  'scheduler.looked_through': LookedThroughTable;
  'scheduler.time_zone_data': TimeZoneDataTable;
  'scheduler.timer': TimerTable;
  'scheduler.period': EndedPeriodTable;
  'scheduler.recheck': RecheckTable;
}

interface LookedThroughTable {
  partition: number;
  position: Count;
}

interface TimeZoneDataTable {
  since: Instant;
  version: string;
}

interface TimerTable {
  tenant: string;
  budget_id: string;
  partition: number;
  rule: Json<object>;
  open_start: string | null;
  expired: string | null;
  due_at: Instant | null;
  failures: Generated<number>;
  stuck: string | null;
  stuck_since: Instant | null;
}

interface EndedPeriodTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  partition: number;
  position: Count;
  ended: Json<EventOf<'PeriodEnded'>['data']>;
  recorded_at: Instant;
  restatements: JSONColumnType<readonly StoredRestatement[], string | undefined, string>;
}

/** What a `PeriodRestated` said, and when. */
export type StoredRestatement = EventOf<'PeriodRestated'>['data'] & Readonly<{ recordedAt: string }>;

interface RecheckTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  partition: number;
}
