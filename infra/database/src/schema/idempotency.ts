import type { ColumnType, Generated } from 'kysely';
import type { Instant } from './column-types.js';

/** Answers kept for an Idempotency-Key. */
export interface IdempotencyTables {
  'api.idempotency': IdempotencyTable;
}

interface IdempotencyTable {
  tenant: string;
  key: string;
  fingerprint: Buffer;
  status: number | null;
  headers: ColumnType<Record<string, string> | null, string | null, string | null>;
  body: string | null;
  created_at: Generated<Instant>;
  leased_until: Generated<Instant>;
}
