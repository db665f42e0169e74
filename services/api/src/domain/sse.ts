/** What a subscriber may choose to hear of. */
export type Topic = 'balances' | 'alerts';

/** An event of the live stream. `scope`: of the budget it is about; null: of no budget. */
export type LiveEvent = Readonly<{ topic: Topic; scope: string | null; data: object }>;

const NAMES: Readonly<Record<Topic, string>> = { balances: 'balance', alerts: 'alert' };

/** One event in the format of WHATWG server-sent events. JSON has no line breaks of its own, so `data` is one line. */
export const sseEvent = ({ topic, data }: LiveEvent, id: string | null): string =>
  `${id === null ? '' : `id: ${id}\n`}event: ${NAMES[topic]}\ndata: ${JSON.stringify(data)}\n\n`;

/** Moves the reader's place and keeps proxies from closing what is silent; no event. */
export const sseHeartbeat = (id: string): string => `: still here\nid: ${id}\n\n`;

/** The first block: how soon to come back, and where this stream begins. */
export const sseOpening = (retryMs: number, id: string): string =>
  `retry: ${retryMs}\nid: ${id}\nevent: ready\ndata: {"position":"${id}"}\n\n`;
