import type { StoredEvent } from '@bursar/event-store';
import { consumeStored } from '../../src/ledger/consume.js';
import type { ConsumeOptions } from '../../src/ledger/options.js';

export type Collector = Readonly<{
  /** Ids in the order they were handed over. */
  events: readonly StoredEvent[];
  /** Ends the consumer; rejects with its failure. */
  stop: () => Promise<void>;
}>;

/** A consumer that keeps what it gets. */
export const collect = (
  options: Omit<ConsumeOptions, 'signal' | 'maxEvents' | 'pollMs' | 'after'> & Partial<ConsumeOptions>,
): Collector => {
  const events: StoredEvent[] = [];
  const ending = new AbortController();
  const done = consumeStored({ after: 0, maxEvents: 1_000, pollMs: 20, signal: ending.signal, ...options }, async (batch) => {
    events.push(...batch.events);
  });
  // Reported by stop(); until then a failure must not end the process.
  done.catch(() => undefined);
  return {
    events,
    stop: async () => {
      ending.abort();
      await done;
    },
  };
};
