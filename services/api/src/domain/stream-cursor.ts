/**
 * How far a subscriber of the live stream has come: everything up to these positions of the tenant's partition, as the projector has
 * folded balances and as alerting has recorded alerts. It travels as the id of an SSE event: `<partition>:<balances>:<alerts>`.
 */
export type StreamCursor = Readonly<{ partition: number; balances: number; alerts: number }>;

const TEXT = /^(0|[1-9][0-9]{0,4}):(0|[1-9][0-9]{0,15}):(0|[1-9][0-9]{0,15})$/;

export const formatCursor = ({ partition, balances, alerts }: StreamCursor): string => `${partition}:${balances}:${alerts}`;

/** Null for what no stream of ours gave out. */
export const readCursor = (text: string): StreamCursor | null => {
  const match = TEXT.exec(text);
  if (match === null) return null;
  const [partition = 0, balances = 0, alerts = 0] = match.slice(1).map(Number);
  return Number.isSafeInteger(balances) && Number.isSafeInteger(alerts) ? { partition, balances, alerts } : null;
};
