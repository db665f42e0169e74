import type { EventMeta, Trace } from '@bursar/contracts';

/** Who sends usage, and by which way. `trace` is the request's; an event's own wins. */
export type UsageSender = Readonly<{ tenant: string; actor: string; via: 'http' | 'nats'; correlationId?: string; trace?: Trace | null }>;

/** The meta text of an event of this sender's. */
export const metaText = ({ tenant, actor, via, correlationId, trace }: UsageSender, own: Trace | null | undefined = trace): string => {
  const meta: EventMeta = { tenant, actor, via, ...(correlationId !== undefined && { correlationId }) };
  return JSON.stringify({ ...meta, ...own });
};
