import type { EventOf, LedgerEventType } from '@bursar/contracts';

/** A decided fact before it has a place: type and data. The command runner gives it id, hash and meta. */
export type NewEvent<T extends LedgerEventType = LedgerEventType> = {
  [K in T]: Readonly<{ type: K; data: EventOf<K>['data'] }>;
}[T];
