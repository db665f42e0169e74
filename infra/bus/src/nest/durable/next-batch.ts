import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Wake } from '../../ledger/wake.js';
import type { Delivery } from './delivery.js';
import type { BatchLimits, Source } from './source.js';

/** Nobody may have told of the news: look again now and then. */
const LOOK_AGAIN_MS = 1_000;

/**
 * The next batch: as soon as it is full, or its first message has waited `lingerMs` for the others. With no linger it takes whatever
 * came together, and a lone message never waits. Null when the source has ended and is empty, or the signal aborts.
 */
export const nextBatch = async (
  source: Source,
  limits: BatchLimits,
  news: Wake,
  signal: AbortSignal,
): Promise<readonly Delivery[] | null> => {
  while (source.held.messages === 0) {
    if (signal.aborted || source.ended !== null) return null;
    await news.wait(LOOK_AGAIN_MS, signal);
  }
  if (limits.lingerMs === 0) await nextTurn();
  else await fill(source, limits, news, signal);
  return signal.aborted ? null : source.take(limits.messages, limits.bytes);
};

const fill = async (source: Source, { messages, bytes, lingerMs }: BatchLimits, news: Wake, signal: AbortSignal): Promise<void> => {
  const until = performance.now() + lingerMs;
  for (let left = lingerMs; left > 0; left = until - performance.now()) {
    const { held } = source;
    if (held.messages >= messages || held.bytes >= bytes || source.ended !== null || signal.aborted) return;
    await news.wait(left, signal);
  }
};
