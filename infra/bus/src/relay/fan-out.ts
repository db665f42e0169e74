import { setTimeout as delay } from 'node:timers/promises';
import type { StoredEvent } from '@bursar/event-store';
import type { Lease } from '@bursar/leases';
import type { Bus } from '../bus.js';
import type { EventsWatch } from './events-watch.js';
import { type FanOutMessage, fanOutMessages } from './fan-out-messages.js';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** Room for headers below the server's `max_payload`. */
const HEADROOM_BYTES = 4_096;
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

/**
 * Publishes whole appends to the world and returns once JetStream has all of them: at least once, each message under an id that depends
 * on its append alone. Goes on trying while NATS is away, until the signal aborts; then it rejects with the signal's reason. Rejects,
 * too, when EVENTS has lost what it had, and publishes nothing more once the lease may be another's.
 */
export const fanOut = async (
  bus: Bus,
  watch: EventsWatch,
  lease: Lease,
  appends: readonly (readonly StoredEvent[])[],
  signal: AbortSignal,
): Promise<void> => {
  let waiting = appends.flatMap((append) => fanOutMessages(append)).filter((message) => fits(bus, message));
  for (let wait = FIRST_RETRY_MS; waiting.length > 0; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
    await watch.ready(signal);
    signal.throwIfAborted();
    // A process that slept must not bring up again what its successor is long past. It hears soon whether the lease is still its own.
    const stored = lease.isLive()
      ? await Promise.all(waiting.map(({ subject, body, headers }) => bus.store(subject, body, headers)))
      : waiting.map(() => null);
    for (const at of stored) if (at !== null) watch.stored(at);
    const failed = waiting.filter((_, index) => stored[index] === null);
    bus.counters.fanoutMessages += waiting.length - failed.length;
    bus.counters.fanoutFailures += failed.length;
    waiting = failed;
    if (waiting.length > 0) await delay(wait, undefined, { signal });
  }
};

/** A message no server would take must not hold up all that follow it. */
const fits = (bus: Bus, { subject, body }: FanOutMessage): boolean => {
  const limit = (bus.connection?.info?.max_payload ?? DEFAULT_MAX_PAYLOAD) - HEADROOM_BYTES;
  if (body.length <= limit) return true;
  bus.counters.fanoutSkipped += 1;
  bus.logger.error({ subject, bytes: body.length, limit }, 'an event is too large for the fan-out; read it from the store');
  return false;
};
