import {
  type EpochNs,
  type EventOf,
  formatInstant,
  fromWireMoney,
  type Money,
  parseInstant,
  toWireMoney,
  type UsageRecordedEvent,
} from '@bursar/contracts';
import { type Split, splitFromWire, splitToWire } from '@bursar/contracts/folds';

/** An amount that is known, in a currency that has no rate yet. It is split once it is converted. */
export type PendingAmount = Readonly<{ occurredAt: EpochNs; effectiveAt: EpochNs; cost: Money; failed: boolean; split?: Split }>;

/** Usage that cannot be charged yet, kept by the position of the usage event. */
export type Waiting =
  | Readonly<{ reason: 'price'; tenant: string; position: number; event: UsageRecordedEvent }>
  /** Only these budgets wait; the others have counted it. */
  | Readonly<{ reason: 'rate'; tenant: string; position: number; budgetIds: readonly string[]; amount: PendingAmount }>;

export type WaitingForPrice = Extract<Waiting, { reason: 'price' }>;
export type WaitingForRate = Extract<Waiting, { reason: 'rate' }>;

/** The text a table keeps of it. */
export const waitingText = (waiting: Waiting): string =>
  waiting.reason === 'price' ? JSON.stringify(waiting.event) : JSON.stringify(pendingToWire(waiting.amount));

export const readWaiting = (
  row: Readonly<{ tenant: string; position: number; reason: 'price' | 'rate'; budgetIds: readonly string[]; text: string }>,
): Waiting => {
  const { tenant, position, reason, budgetIds, text } = row;
  if (reason === 'price') return { reason, tenant, position, event: JSON.parse(text) as UsageRecordedEvent };
  return { reason, tenant, position, budgetIds, amount: pendingFromWire(JSON.parse(text) as WirePending) };
};

type WirePending = Omit<EventOf<'BudgetCounted'>['data']['waitingForRate'][number], 'position'>;

export const pendingToWire = ({ occurredAt, effectiveAt, cost, failed, split }: PendingAmount): WirePending => ({
  occurredAt: formatInstant(occurredAt),
  effectiveAt: formatInstant(effectiveAt),
  cost: toWireMoney(cost),
  failed,
  ...(split !== undefined && { split: splitToWire(split) }),
});

export const pendingFromWire = ({ occurredAt, effectiveAt, cost, failed, split }: WirePending): PendingAmount => ({
  occurredAt: parseInstant(occurredAt),
  effectiveAt: parseInstant(effectiveAt),
  cost: fromWireMoney(cost),
  failed,
  ...(split !== undefined && { split: splitFromWire(split) }),
});
