import {
  contentHash,
  reratedEventId,
  type UsageData,
  UsageRerated,
  type UsageReratedData,
  UsageVoided,
  type UsageVoidedData,
  voidEventId,
  type WireMoney,
} from '@bursar/contracts';
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

export type Adjustment = Readonly<{ correctionId: string; cost: WireMoney; reason: string }>;

/** The event that states another cost for usage. Its id and hash say which usage and which request: that request again finds it done. */
export const adjustmentEvent = (tenant: string, { id, ...original }: RecordedUsage, adjustment: Adjustment): PreparedEvent => {
  const { correctionId, cost, reason } = adjustment;
  const previousCost = original.data.cost ?? original.data.rated ?? null;
  const data: UsageReratedData = { eventId: id, correctionId, cause: 'adjustment', reason, previousCost, cost, original };
  return {
    id: reratedEventId(tenant, id, correctionId),
    type: UsageRerated.type,
    version: UsageRerated.version,
    data: JSON.stringify(data),
    contentHash: contentHash({ eventId: id, correctionId }),
  };
};
