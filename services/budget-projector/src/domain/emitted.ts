import { canonicalJson, contentHash, EVENT_DEFINITIONS, type EventMeta, type EventOf } from '@bursar/contracts';

/** An event decided in a fold: committed to the outbox with it, appended to the store after it. Equal folds make equal ones. */
export type Emitted = Readonly<{ stream: string; id: string; type: string; version: number; data: string; meta: string }>;

/** The event whose fold decided it, in whose trace it is; a count has none, its definition is in its data. */
export type Cause = Readonly<{ id?: string; meta: Pick<EventMeta, 'tenant' | 'traceparent' | 'tracestate'> }>;

type EmittedType =
  | 'ThresholdCrossed'
  | 'ThresholdCleared'
  | 'BudgetCounted'
  | 'BudgetPaused'
  | 'UsageRerated'
  | 'PriceCorrectionApplied'
  | 'UsageRefused';

export const emit = <T extends EmittedType>(type: T, stream: string, id: string, data: EventOf<T>['data'], cause: Cause): Emitted => {
  // The cause's own span: a fold has no chance to make one, and folding again must emit the same text.
  const { tenant, traceparent, tracestate } = cause.meta;
  const meta: EventMeta = { tenant, actor: 'budget-projector', via: 'projector', causationId: cause.id, traceparent, tracestate };
  return { stream, id, type, version: EVENT_DEFINITIONS.get(type)?.version ?? 1, data: canonicalJson(data), meta: JSON.stringify(meta) };
};

/** The hash that makes a second append of the same decision a `duplicate`. */
export const emittedHash = ({ data }: Pick<Emitted, 'data'>): Uint8Array => contentHash(JSON.parse(data));
