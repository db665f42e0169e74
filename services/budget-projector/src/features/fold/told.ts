import type { EventOf } from '@bursar/contracts';
import type { Changes } from '../../domain/changes.js';

/** What the ledger tells of things that a fold decided, or began, before: it is the ledger's word that stands. */
export type ToldEvent = EventOf<'PriceCorrectionApplied' | 'ThresholdCrossed' | 'ThresholdCleared'>;

export const noteTold = ({ id, type, position, recordedAt, data, meta: { tenant } }: ToldEvent, changes: Changes): void => {
  switch (type) {
    case 'PriceCorrectionApplied':
      changes.pricesApplied.push({ tenant, correctionId: data.correctionId });
      return;
    case 'ThresholdCrossed':
      changes.told.push({ tenant, alertId: id, data, position, at: recordedAt });
      return;
    case 'ThresholdCleared':
      changes.cleared.push({ ...data, tenant, at: recordedAt });
      return;
  }
};
