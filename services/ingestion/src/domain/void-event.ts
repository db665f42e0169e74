import { contentHash, type UsageData, UsageVoided, type UsageVoidedData, voidEventId } from '@bursar/contracts';
import type { PreparedEvent } from './prepare-usage.js';

/** A usage event as the store keeps it. */
export type RecordedUsage = Readonly<{ id: string; position: number; revision: number; recordedAt: string; data: UsageData }>;

/**
 * The event that takes usage back. It carries the usage in full, so a fold charges it as it was charged and reads nothing. Its id and
 * hash say which usage and nothing else: whoever voids it again, for whatever reason, finds it done.
 */
export const voidEvent = (tenant: string, { id, ...original }: RecordedUsage, reason: string): PreparedEvent => {
  const data: UsageVoidedData = { eventId: id, reason, original };
  return {
    id: voidEventId(tenant, id),
    type: UsageVoided.type,
    version: UsageVoided.version,
    data: JSON.stringify(data),
    contentHash: contentHash({ eventId: id }),
  };
};
