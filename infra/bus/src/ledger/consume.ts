import { setTimeout as delay } from 'node:timers/promises';
import type { LedgerEvent } from '@bursar/contracts';
import type { StoredEvent } from '@bursar/event-store';
import { decodeWanted } from '../decode.js';
import type { Batch, ConsumeOptions, Wanting } from './options.js';
import { PartitionReader } from './partition-reader.js';
import { PATIENCE, TICK_MS, Watchdog } from './watchdog.js';

/**
 * Delivers a partition's events in position order from `after` + 1, each exactly once per call, from range messages where they come
 * and from the store where they do not. Nothing reaches the handler that the store does not confirm. Needs NATS for speed only.
 * Resolves when the signal aborts. Rejects when the handler does, and with `UnknownEventError` at an event of a newer release.
 */
export const consumeLedger = (
  { wants = () => true, ...options }: ConsumeOptions & Wanting,
  handler: (batch: Batch<LedgerEvent>) => Promise<void>,
): Promise<void> => consumeStored(options, ({ events, last }) => handler({ events: decodeWanted(events, wants), last }));

/** As {@link consumeLedger}, with the stored texts of all. A handler that takes its time over a batch says that it goes on with `alive`. */
export const consumeStored = async (
  options: ConsumeOptions,
  handler: (batch: Batch<StoredEvent>, alive: () => void) => Promise<void>,
): Promise<void> => {
  const { signal, maxEvents, patience = PATIENCE, gatherMs = 0 } = options;
  const watchdog = new Watchdog(patience ?? PATIENCE);
  const reader = new PartitionReader(options, () => watchdog.alive());
  const watching = patience === null ? undefined : setInterval(() => watch(options, watchdog, reader), TICK_MS).unref();
  try {
    while (!signal.aborted) {
      const events = await reader.next();
      const begunAt = performance.now();
      for (let from = 0; from < events.length && !signal.aborted; from += maxEvents) {
        const slice = events.length <= maxEvents ? events : events.slice(from, from + maxEvents);
        const last = slice.at(-1);
        if (last !== undefined) await handler({ events: slice, last: last.position }, () => watchdog.alive());
        watchdog.alive();
      }
      const left = events.length === 0 ? 0 : begunAt + gatherMs - performance.now();
      if (left > 0) await delay(left, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    clearInterval(watching);
    reader.close();
  }
};

const watch = ({ bus, partition }: ConsumeOptions, watchdog: Watchdog, reader: PartitionReader): void => {
  const what = watchdog.tick(performance.now(), reader.isBehind);
  if (what === 'revive') {
    bus.counters.consumersRevived += 1;
    bus.logger.warn({ partition }, 'a consumer is behind and does nothing; it subscribes anew and looks at the store');
    reader.revive();
  } else if (what === 'give up') bus.giveUp(`the consumer of partition ${partition} is behind and does nothing`);
};
