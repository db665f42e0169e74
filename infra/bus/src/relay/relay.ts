import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from '@bursar/database';
import type { EventStore } from '@bursar/event-store';
import type { Bus } from '../bus.js';
import { gauge, type Sample } from '../counters.js';
import { consumeStored } from '../ledger/consume.js';
import { Progress } from '../progress.js';
import { Checkpoints } from './checkpoints.js';
import { EventsWatch } from './events-watch.js';
import { fanOut } from './fan-out.js';
import { lead, type Term } from './leadership.js';
import { LedgerWatch } from './ledger-watch.js';
import { Marks } from './marks.js';

export type RelayOptions = Readonly<{
  store: EventStore;
  bus: Bus;
  /** Of the database with the projections' schema: one session holds the lead and writes the checkpoints. */
  pool: Pool;
  /** How often heads are compared. Default 200 ms. */
  pollMs?: number;
}>;

export type Relay = Readonly<{
  /** This process is the one that relays. */
  isLeader(): boolean;
  /** Whether it leads and how far it is behind, under Prometheus names. */
  samples(): readonly Sample[];
  /** Saves its checkpoints and gives up the lead. */
  stop(): Promise<void>;
}>;

/** `Rely`: any number that no other lock of the database uses. */
const LEADER_LOCK = 0x52_65_6c_79;
const SAVE_MS = 500;
const FAN_OUT_EVENTS = 500;

/**
 * One relay leads in the whole installation, however many run. It publishes on `ledger.<p>` what nobody else did, and everything on
 * `events.<tenant>.<EventType>`, from its checkpoint in `projection.checkpoint`: at least once, in order per subject, and once more
 * where the stream lost it.
 */
export const startRelay = ({ store, bus, pool, pollMs = 200 }: RelayOptions): Relay => {
  const ending = new AbortController();
  const progress = new Progress();
  let leading = false;
  const done = lead(pool, LEADER_LOCK, ending.signal, bus.logger, async (term) => {
    leading = true;
    bus.logger.info({}, 'this process leads the relay');
    try {
      await reign({ store, bus, pollMs, progress }, term);
    } finally {
      leading = false;
      for (let partition = 0; partition < store.partitions; partition += 1) progress.forget(partition);
    }
  });
  return {
    isLeader: () => leading,
    samples: () => {
      const { events, seconds } = progress.lag(performance.now());
      return [
        gauge('bursar_relay_leader', '1 in the process that relays', leading ? 1 : 0),
        gauge('bursar_relay_lag_events', 'Events in the store that are not on events.* yet; 0 where another process relays', events),
        gauge('bursar_relay_lag_seconds', 'For how long the oldest of them has been known', seconds),
      ];
    },
    stop: async () => {
      ending.abort();
      await done;
    },
  };
};

type Realm = Readonly<{ store: EventStore; bus: Bus; pollMs: number; progress: Progress }>;

const reign = async ({ store, bus, pollMs, progress }: Realm, term: Term): Promise<void> => {
  const checkpoints = new Checkpoints(term.session, store.partitions);
  await checkpoints.load();
  const { positions } = checkpoints;
  const events = new EventsWatch(bus, new Marks(term.session), checkpoints);
  await events.start();
  const watch = new LedgerWatch(bus, store);
  const stopCovered = bus.onCovered((partition, first, last) => watch.covered(partition, first, last));
  for (const [partition, position] of positions.entries()) progress.reached(partition, position, performance.now());
  const stopHeads = bus.hubOf(store).onHeads((heads) => {
    watch.heads(heads);
    progress.heads(heads, performance.now());
  });
  const failed = new AbortController();
  const signal = AbortSignal.any([term.signal, failed.signal]);
  const follow = (partition: number) =>
    consumeStored({ store, bus, partition, after: positions[partition] ?? 0, maxEvents: FAN_OUT_EVENTS, pollMs, signal }, async (batch) => {
      const { last } = batch;
      await fanOut(bus, events, batch.events, signal);
      checkpoints.advance(partition, last);
      progress.reached(partition, last, performance.now());
    });
  const work = [...Array.from({ length: store.partitions }, (_, partition) => follow(partition)), saveOften(checkpoints, events, signal)];
  try {
    await Promise.all(work.map((task) => task.catch((error: unknown) => stopAll(failed, signal, error))));
    if (failed.signal.aborted) throw failed.signal.reason;
  } finally {
    stopCovered();
    stopHeads();
    events.close();
    await save(checkpoints, events);
  }
};

/** The first failure ends the term; what fails because it ends is no failure. */
const stopAll = (failed: AbortController, signal: AbortSignal, error: unknown): void => {
  if (!signal.aborted) failed.abort(error);
};

const saveOften = async (checkpoints: Checkpoints, events: EventsWatch, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await delay(SAVE_MS, undefined, { signal }).catch(() => undefined);
    await save(checkpoints, events);
    await events.look(performance.now());
  }
};

/** Both say how it is at this moment, in this order. */
const save = async (checkpoints: Checkpoints, events: EventsWatch): Promise<void> => {
  await Promise.all([events.note(performance.now()), checkpoints.save()]);
};
