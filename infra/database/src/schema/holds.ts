import type { Amount, Count, Instant } from './column-types.js';

/** Reservations, and what they hold. */
export interface HoldTables {
  'projection.hold': HoldTable;
  'projection.hold_group': HoldGroupTable;
  'projection.reserved': ReservedTable;
  'projection.settlement': SettlementTable;
}

export interface HoldTable {
  tenant: string;
  reservation_id: string;
  status: 'held' | 'settled' | 'released' | 'expired' | 'unknown';
  since: Count;
  ended_at: Instant | null;
  ended_position: Count | null;
  settled_by: string | null;
  actual: Amount | null;
  flags: string[];
  position: Count;
}

interface HoldGroupTable {
  tenant: string;
  since: Count;
  partition: number;
  budget_ids: string[];
  held: number;
  position: Count;
}

interface ReservedTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  reserved: Amount;
}

interface SettlementTable {
  tenant: string;
  position: Count;
  reservation_id: string;
  flags: string[];
}
