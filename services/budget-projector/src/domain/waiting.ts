import {
  type EpochNs,
  formatInstant,
  fromWireMoney,
  type Money,
  parseInstant,
  toWireMoney,
  type UsageRecordedEvent,
} from '@bursar/contracts';

/** An amount that is known, in a currency that has no rate yet. */
export type PendingAmount = Readonly<{ occurredAt: EpochNs; effectiveAt: EpochNs; cost: Money; failed: boolean }>;

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

type WirePending = Readonly<{ occurredAt: string; effectiveAt: string; cost: { amount: string; currency: string }; failed: boolean }>;

export const pendingToWire = ({ occurredAt, effectiveAt, cost, failed }: PendingAmount): WirePending => ({
  occurredAt: formatInstant(occurredAt),
  effectiveAt: formatInstant(effectiveAt),
  cost: toWireMoney(cost),
  failed,
});

export const pendingFromWire = ({ occurredAt, effectiveAt, cost, failed }: WirePending): PendingAmount => ({
  occurredAt: parseInstant(occurredAt),
  effectiveAt: parseInstant(effectiveAt),
  cost: fromWireMoney(cost),
  failed,
});
