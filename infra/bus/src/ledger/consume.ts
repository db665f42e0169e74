import type { LedgerEvent } from '@bursar/contracts';
import type { StoredEvent } from '@bursar/event-store';
import { decodeStored } from '../decode.js';
import type { Batch, ConsumeOptions } from './options.js';
import { PartitionReader } from './partition-reader.js';

/**
 * Delivers a partition's events in position order from `after` + 1, each exactly once per call, from range messages where they come
 * and from the store where they do not. Nothing reaches the handler that the store does not confirm. Needs NATS for speed only.
 * Resolves when the signal aborts. Rejects when the handler does, and with `UnknownEventError` at an event of a newer release.
 */
export const consumeLedger = (options: ConsumeOptions, handler: (batch: Batch<LedgerEvent>) => Promise<void>): Promise<void> =>
  consumeStored(options, ({ events, last }) => handler({ events: events.map(decodeStored), last }));

/** As {@link consumeLedger}, with the stored texts. */
export const consumeStored = async (options: ConsumeOptions, handler: (batch: Batch<StoredEvent>) => Promise<void>): Promise<void> => {
  const { signal, maxEvents } = options;
  const reader = new PartitionReader(options);
  try {
    while (!signal.aborted) {
      const events = await reader.next();
      for (let from = 0; from < events.length && !signal.aborted; from += maxEvents) {
        const slice = events.length <= maxEvents ? events : events.slice(from, from + maxEvents);
        const last = slice.at(-1);
        if (last !== undefined) await handler({ events: slice, last: last.position });
      }
    }
  } finally {
    reader.close();
  }
};
