import type { ColumnType, Generated } from 'kysely';
import type { Count, Instant } from './column-types.js';

/** How far each projection is, who runs what, what the relay has fanned out, and what waits to be appended or could not be folded. */
export interface ProcessTables {
  'projection.checkpoint': CheckpointTable;
  'projection.replica': ReplicaTable;
  'projection.lease': LeaseTable;
  'projection.relay_stream': RelayStreamTable;
  'projection.relay_mark': RelayMarkTable;
  'projection.outbox': OutboxTable;
  'projection.quarantine': QuarantineTable;
}

interface CheckpointTable {
  projection: string;
  partition: number;
  position: Count;
  epoch: Count;
}

interface ReplicaTable {
  replica: string;
  consumer: Generated<string>;
  expires_at: Instant;
  url: string | null;
}

interface LeaseTable {
  consumer: Generated<string>;
  partition: number;
  owner: string | null;
  epoch: Count;
  expires_at: Instant;
}

interface RelayStreamTable {
  singleton: Generated<boolean>;
  stream_created: string;
  sequence: Count;
  rewinds: Count;
}

interface RelayMarkTable {
  partition: number;
  span: Count;
  stream_created: string;
  sequence: Count;
  position: Count;
}

interface OutboxTable {
  partition: number;
  sequence: ColumnType<Count, never, never>;
  stream: string;
  id: string;
  type: string;
  version: number;
  data: string;
  meta: string;
}

interface QuarantineTable {
  projection: string;
  partition: number;
  position: Count;
  tenant: string | null;
  reason: string;
  budget_ids: string[] | null;
}
