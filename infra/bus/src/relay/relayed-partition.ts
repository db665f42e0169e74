import type { EventStore } from '@bursar/event-store';
import type { Lease, LeasedRunner } from '@bursar/leases';
import { again } from '../again.js';
import type { Bus } from '../bus.js';
import { consumeStored } from '../ledger/consume.js';
import type { Progress } from '../progress.js';
import { RELAY, type RelayCheckpoints } from './checkpoints.js';
import type { EventsWatch } from './events-watch.js';
import { fanOut } from './fan-out.js';
import type { LedgerWatch } from './ledger-watch.js';
import { WholeAppends } from './whole-appends.js';

/** What all partitions of a process share. */
export type Relaying = Readonly<{
  store: EventStore;
  bus: Bus;
  pollMs: number;
  checkpoints: RelayCheckpoints;
  events: EventsWatch;
  watch: LedgerWatch;
  progress: Progress;
}>;

const FAN_OUT_EVENTS = 500;
/** Subscribers of `events.*` need it soon, not at once: appends of one moment are confirmed and published together. */
const GATHER_MS = 25;
const LAST_RETRY_MS = 2_000;

/** One partition, relayed as long as its lease lasts. */
export class RelayedPartition implements LeasedRunner {
  #isTaken = false;

  constructor(
    private readonly relaying: Relaying,
    private readonly lease: Lease,
  ) {}

  get isTaken(): boolean {
    return this.#isTaken;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { logger } = this.relaying.bus;
    const { partition } = this.lease;
    const options = { what: 'the relay of a partition failed', consumer: RELAY, partition, logger, signal, lastRetryMs: LAST_RETRY_MS };
    await again(options, () => this.#term(signal));
  }

  /** From the checkpoint on, until told to stop. Rejects when the checkpoint is another's, or was set back. */
  async #term(until: AbortSignal): Promise<void> {
    const { store, bus, pollMs, checkpoints, events, watch, progress } = this.relaying;
    const { partition } = this.lease;
    const ended = new AbortController();
    const signal = AbortSignal.any([until, ended.signal]);
    const after = await checkpoints.take(this.lease.key, (error) => ended.abort(error));
    this.#isTaken = true;
    progress.reached(partition, after, performance.now());
    watch.begin(partition);
    const appends = new WholeAppends(store, partition);
    try {
      await events.renewed(signal);
      // NATS may be away for as long as it likes.
      const options = { store, bus, partition, after, maxEvents: FAN_OUT_EVENTS, pollMs, gatherMs: GATHER_MS, signal, patience: null };
      await consumeStored(options, async (batch) => {
        const whole = await appends.add(batch.events);
        const last = whole.at(-1)?.at(-1);
        if (last === undefined) return;
        await fanOut(bus, events, this.lease, whole, signal);
        checkpoints.advance(partition, last.position);
        progress.reached(partition, last.position, performance.now());
      });
      ended.signal.throwIfAborted();
    } finally {
      watch.end(partition);
      progress.forget(partition);
      await checkpoints.end(partition, events.state);
    }
  }
}
