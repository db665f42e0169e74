import { setTimeout as delay } from 'node:timers/promises';
import type { ConsumeOptions } from './options.js';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;

/**
 * Asks the store until it answers: a restart of it is waited out. `aborted` is the answer when the consumer is told to stop. `alive` is
 * called whenever the store has answered with an error.
 */
export const askStore = async <T>(
  { bus, signal, partition }: Pick<ConsumeOptions, 'bus' | 'signal' | 'partition'>,
  alive: () => void,
  question: () => Promise<T>,
  aborted: T,
): Promise<T> => {
  for (let wait = FIRST_RETRY_MS; !signal.aborted; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
    try {
      return await question();
    } catch (error) {
      bus.counters.storeReadFailures += 1;
      alive();
      bus.logger.warn({ error: String(error), partition }, 'the event store does not answer; asking again');
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }
  return aborted;
};
