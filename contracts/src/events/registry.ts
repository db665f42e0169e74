import type { z } from 'zod';
import { AlertAcknowledged, AlertRaised, ChannelRemoved, ChannelSaved, LiteLlmNotified, NotificationTemplateSaved } from './alert.js';
import { BudgetCounted, ThresholdCleared, ThresholdCrossed } from './balance.js';
import { BudgetChanged, BudgetCreated, BudgetDeleted } from './budget.js';
import { BudgetPaused, BudgetResumed, OverrideGranted, OverrideRevoked } from './budget-controls.js';
import type { EventDefinition, Recorded } from './envelope.js';
import { HoldsChanged, PartitionTaken } from './holds.js';
import { BudgetExpired, BudgetReset, OverrideExpired, PeriodEnded, PeriodRestated, PeriodStarted } from './period.js';
import { ScopeDescribed, ScopeMoved, ScopeRegistered, ScopeRemoved } from './scope.js';
import {
  ExchangeRateSet,
  PriceListCreated,
  PricesAdded,
  PricesCorrected,
  TemplateRemoved,
  TemplateSaved,
  TenantSettingsChanged,
} from './tenant.js';
import { PriceCorrectionApplied, UsageQuarantined, UsageRecorded, UsageRefused, UsageRerated, UsageVoided } from './usage.js';

/** Every event there is. A new one is added here and the compiler lists each fold to extend. */
const EVENTS = [
  UsageRecorded,
  UsageVoided,
  UsageRerated,
  PriceCorrectionApplied,
  UsageRefused,
  UsageQuarantined,
  ScopeRegistered,
  ScopeMoved,
  ScopeDescribed,
  ScopeRemoved,
  BudgetCreated,
  BudgetChanged,
  BudgetDeleted,
  BudgetPaused,
  BudgetResumed,
  OverrideGranted,
  OverrideRevoked,
  OverrideExpired,
  BudgetReset,
  BudgetExpired,
  BudgetCounted,
  ThresholdCrossed,
  ThresholdCleared,
  PeriodEnded,
  PeriodStarted,
  PeriodRestated,
  AlertRaised,
  AlertAcknowledged,
  PriceListCreated,
  PricesAdded,
  PricesCorrected,
  ExchangeRateSet,
  TemplateSaved,
  TemplateRemoved,
  TenantSettingsChanged,
  ChannelSaved,
  ChannelRemoved,
  NotificationTemplateSaved,
  LiteLlmNotified,
  PartitionTaken,
  HoldsChanged,
] as const;

type Definition = (typeof EVENTS)[number];
/** Any event of the ledger, by its `type`. */
export type LedgerEvent = { [D in Definition as D['type']]: Recorded<D['type'], z.infer<D['data']>> }[Definition['type']];
export type LedgerEventType = LedgerEvent['type'];
export type EventOf<T extends LedgerEventType> = Extract<LedgerEvent, { type: T }>;

export const EVENT_DEFINITIONS: ReadonlyMap<string, EventDefinition> = new Map(
  EVENTS.map((event) => [event.type, event as EventDefinition]),
);

/** An unknown type or version halts the partition that meets it (RELIABILITY F46): skipping would change history. */
export class UnknownEventError extends Error {
  override readonly name = 'UnknownEventError';
  constructor(
    readonly type: string,
    readonly version: number,
  ) {
    super(`event ${type} version ${version} is not known to this release`);
  }
}

/** Data of any stored version, brought up to the newest. Throws {@link UnknownEventError}. */
export const upcast = (type: string, version: number, data: unknown): unknown => {
  const definition = EVENT_DEFINITIONS.get(type);
  if (definition === undefined || version > definition.version || version < 1) throw new UnknownEventError(type, version);
  let current = data;
  for (let from = version; from < definition.version; from += 1) {
    const step = definition.upcasters[from];
    if (step === undefined) throw new UnknownEventError(type, version);
    current = step(current as never);
  }
  return current;
};
