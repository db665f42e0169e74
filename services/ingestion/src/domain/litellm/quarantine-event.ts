import { canonicalJson, contentHash, quarantineEventId, UsageQuarantined } from '@bursar/contracts';
import type { PreparedEvent } from '../prepare-usage.js';
import { keptOfRecord } from './kept-fields.js';
import { LITELLM_SOURCE } from './read-record.js';

/** Why, in the words of a rejection. */
export type Reason = Readonly<{ id: string | null; code: string; detail: string }>;

/** The event that keeps what of a record may be kept. The same record again, whatever the reason then, is the same event. */
export const quarantineEvent = (tenant: string, record: unknown, { id, code, detail }: Reason): PreparedEvent => {
  const kept = keptOfRecord(record);
  const hashed = contentHash(kept);
  return {
    id: quarantineEventId(tenant, LITELLM_SOURCE, hashed.toString('hex')),
    type: UsageQuarantined.type,
    version: UsageQuarantined.version,
    data: canonicalJson({ source: LITELLM_SOURCE, id, code, detail, record: kept }),
    contentHash: hashed,
  };
};
