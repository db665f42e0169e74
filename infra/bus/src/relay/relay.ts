import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase, type Pool } from '@bursar/database';
import type { EventStore } from '@bursar/event-store';
import { LeasedPartitions, SqlLeases } from '@bursar/leases';
import type { Bus } from '../bus.js';
import { gauge, type Sample } from '../counters.js';
import { Progress } from '../progress.js';
import { RELAY, RelayCheckpoints } from './checkpoints.js';
import { EventsWatch } from './events-watch.js';
import { LedgerWatch } from './ledger-watch.js';
import { Marks } from './marks.js';
import { RelayedPartition, type Relaying } from './relayed-partition.js';

export type RelayOptions = Readonly<{
  store: EventStore;
  bus: Bus;
  /** Of the database with the projections' schema: checkpoints go through it. */
  pool: Pool;
  /** The same database: the leases have connections of their own. */
  url: string;
  /** How often heads are compared. Default 200 ms. */
  pollMs?: number;
  /** How long a partition stays with a process that does not answer any more. Default 3 s. */
  leaseMs?: number;
}>;

export type Relay = Readonly<{
  /** The partitions that this process relays. */
  partitions(): readonly number[];
  /** What it leads and how far it is behind, under Prometheus names. */
  samples(): readonly Sample[];
  /** Saves its checkpoints and gives everything up. */
  stop(): Promise<void>;
}>;

const SAVE_MS = 500;
const LEASE_MS = 3_000;

/**
 * Each partition has one relay that leads it, and all that run share the partitions evenly. It publishes on `ledger.<p>` what nobody else
 * did, and everything on `events.<tenant>.<EventType>`, from its checkpoint: at least once, in order per subject, and once more where
 * the stream lost it.
 */
export const startRelay = ({ store, bus, pool, url, pollMs = 200, leaseMs = LEASE_MS }: RelayOptions): Relay => {
  const checkpoints = new RelayCheckpoints(pool, createDatabase(pool));
  const events = new EventsWatch(bus, store, new Marks(pool), () => checkpoints.loseAll());
  const watch = new LedgerWatch(bus, store);
  const progress = new Progress();
  const stopCovered = bus.onCovered((partition, first, last) => watch.covered(partition, first, last));
  const stopHeads = bus.hubOf(store).onHeads((heads) => {
    watch.heads(heads);
    progress.heads(heads, performance.now());
  });
  const relaying: Relaying = { store, bus, pollMs, checkpoints, events, watch, progress };
  const owner = new LeasedPartitions(
    new SqlLeases({ url, consumer: RELAY, partitions: store.partitions, ttlMs: leaseMs }),
    store.partitions,
    (lease) => new RelayedPartition(relaying, lease),
    {
      lost: (partition) => bus.logger.warn({ partition }, 'the relay lost a partition to another'),
      trouble: (error) => bus.logger.warn({ error: String(error) }, 'the leases of the relay are out of reach; asking again'),
      stuck: (partition) => bus.giveUp(`the relay of partition ${partition} does not end`),
    },
  );
  owner.start();
  const ending = new AbortController();
  const saving = saveOften(relaying, ending.signal);
  return {
    partitions: () => [...owner.runners()].flatMap(([partition, { isTaken }]) => (isTaken ? [partition] : [])),
    samples: () => {
      const { partitions, events: behind, seconds } = progress.lag(performance.now());
      return [
        gauge('bursar_relay_partitions', 'Partitions that this process relays', partitions),
        gauge('bursar_relay_lag_events', 'Events of these partitions in the store that are not on events.* yet', behind),
        gauge('bursar_relay_lag_seconds', 'For how long the oldest of them has been known', seconds),
      ];
    },
    stop: async () => {
      await owner.stop();
      ending.abort();
      await saving;
      stopCovered();
      stopHeads();
      events.close();
    },
  };
};

const saveOften = async ({ bus, checkpoints, events }: Relaying, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await delay(SAVE_MS, undefined, { signal }).catch(() => undefined);
    try {
      await checkpoints.save(events.state);
      if (checkpoints.isInUse) await events.look(performance.now());
    } catch (error) {
      bus.logger.warn({ error: String(error) }, 'the relay could not save how far it is; it tries again');
    }
  }
};
