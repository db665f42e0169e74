import { setTimeout as delay } from 'node:timers/promises';
import type { LedgerEvent } from '@bursar/contracts';
import type { StoredEvent } from '@bursar/event-store';
import { decodeStored, decodeWanted } from '../decode.js';
import type { Batch, ConsumeOptions, Wanting } from './options.js';
import { PartitionReader } from './partition-reader.js';
import { passedOverBy, SelectingReader } from './selecting-reader.js';
import { PATIENCE, TICK_MS, Watchdog } from './watchdog.js';

/**
 * Delivers a partition's events in position order from `after` + 1, each exactly once per call. Where all types are wanted: from range
 * messages where they come, from the store where they do not, and nothing that the store does not confirm. Where `wants` leaves some out:
 * from the store alone, the rest passed over unread. Needs NATS for speed only.
 * Resolves when the signal aborts. Rejects when the handler does, and with `UnknownEventError` at an event of a newer release.
 */
export const consumeLedger = (
  { wants, ...options }: ConsumeOptions & Wanting,
  handler: (batch: Batch<LedgerEvent>) => Promise<void>,
): Promise<void> => {
  if (wants === undefined) return consumeStored(options, ({ events, last }) => handler({ events: events.map(decodeStored), last }));
  const passedOver = passedOverBy(wants);
  const reader = (alive: () => void) => new SelectingReader(options, passedOver, alive);
  // The reader lets time pass between its looks, and the handler need not wait for it.
  return follow({ ...options, gatherMs: 0 }, reader, ({ events, last }) => handler({ events: decodeWanted(events, wants), last }));
};

type Handler = (batch: Batch<StoredEvent>, alive: () => void) => Promise<void>;

/** As {@link consumeLedger}, with the stored texts of all. A handler that takes its time over a batch says that it goes on with `alive`. */
export const consumeStored = (options: ConsumeOptions, handler: Handler): Promise<void> =>
  follow(options, (alive) => new PartitionReader(options, alive), handler);

/** Where batches come from. */
type Reader = Pick<SelectingReader, 'next' | 'isBehind' | 'revive' | 'close'>;

const follow = async (options: ConsumeOptions, open: (alive: () => void) => Reader, handler: Handler): Promise<void> => {
  const { signal, maxEvents, patience = PATIENCE, gatherMs = 0 } = options;
  const watchdog = new Watchdog(patience ?? PATIENCE);
  const reader = open(() => watchdog.alive());
  const watching = patience === null ? undefined : setInterval(() => watch(options, watchdog, reader), TICK_MS).unref();
  try {
    while (!signal.aborted) {
      const batch = await reader.next();
      const begunAt = performance.now();
      if (batch === null) continue;
      for (const part of partsOf(batch, maxEvents)) {
        if (signal.aborted) break;
        await handler(part, () => watchdog.alive());
        watchdog.alive();
      }
      const left = begunAt + gatherMs - performance.now();
      if (left > 0) await delay(left, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    clearInterval(watching);
    reader.close();
  }
};

/** At most so many events each; what was passed over after the last event goes with it. */
const partsOf = ({ events, last }: Batch<StoredEvent>, maxEvents: number): readonly Batch<StoredEvent>[] => {
  if (events.length <= maxEvents) return [{ events, last }];
  const parts: Batch<StoredEvent>[] = [];
  for (let from = 0; from < events.length; from += maxEvents) {
    const part = events.slice(from, from + maxEvents);
    parts.push({ events: part, last: from + maxEvents < events.length ? (part.at(-1)?.position ?? last) : last });
  }
  return parts;
};

const watch = ({ bus, partition }: ConsumeOptions, watchdog: Watchdog, reader: Reader): void => {
  const what = watchdog.tick(performance.now(), reader.isBehind);
  if (what === 'revive') {
    bus.counters.consumersRevived += 1;
    bus.logger.warn({ partition }, 'a consumer is behind and does nothing; it subscribes anew and looks at the store');
    reader.revive();
  } else if (what === 'give up') bus.giveUp(`the consumer of partition ${partition} is behind and does nothing`);
};
