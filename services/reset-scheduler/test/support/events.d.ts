import type { BudgetDefinition, EventOf, LedgerEventType } from '@bursar/contracts';
export declare const TENANT = 'acme';
export declare const BUDGET: BudgetDefinition;
/** An event as a fold sees it, recorded at an instant (RFC 3339). */
export declare const recorded: <T extends LedgerEventType>(
  type: T,
  position: number,
  recordedAt: string,
  data: EventOf<T>['data'],
) => EventOf<T>;
//# sourceMappingURL=events.d.ts.map
