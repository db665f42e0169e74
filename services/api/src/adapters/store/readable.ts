import { decodeStored } from '@bursar/bus';
import { type LedgerEvent, UnknownEventError } from '@bursar/contracts';
import type { StoredEvent } from '@bursar/event-store';

/** The event; null for one that cannot be decoded, which the projector has set aside. Throws {@link UnknownEventError}. */
export const readable = (stored: Omit<StoredEvent, 'contentHash'>): LedgerEvent | null => {
  try {
    return decodeStored(stored);
  } catch (error) {
    if (error instanceof UnknownEventError) throw error;
    return null;
  }
};
