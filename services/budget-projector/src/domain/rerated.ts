import { correctionAppliedId, type EventOf, reratedEventId, toWireMoney, usageStream } from '@bursar/contracts';
import type { Rerating } from '@bursar/contracts/folds';
import type { PriceCorrection } from './changes.js';
import { type Emitted, emit } from './emitted.js';

export type RecordedUsage = EventOf<'UsageRecorded'>;

/** That a correction of prices changes what this usage costs: the same event whoever finds it, and whenever. */
export const usageRerated = (
  { tenant, correctionId }: PriceCorrection,
  { id, position, revision, recordedAt, data }: RecordedUsage,
  { previousCost, cost }: Rerating,
): Emitted => {
  const rerated: EventOf<'UsageRerated'>['data'] = {
    eventId: id,
    correctionId,
    cause: 'price',
    previousCost: toWireMoney(previousCost),
    cost: toWireMoney(cost),
    original: { position, revision, recordedAt, data },
  };
  const meta = { id: correctionId, meta: { tenant } };
  return emit('UsageRerated', usageStream(tenant), reratedEventId(tenant, id, correctionId), rerated, meta);
};

/** That there is nothing left to rerate by it. */
export const correctionApplied = ({ tenant, correctionId, listId, position }: PriceCorrection, rerated: number): Emitted =>
  emit(
    'PriceCorrectionApplied',
    usageStream(tenant),
    correctionAppliedId(tenant, correctionId),
    { correctionId, listId, correctedAt: position, rerated },
    { id: correctionId, meta: { tenant } },
  );
