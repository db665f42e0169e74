import { setTimeout as delay } from 'node:timers/promises';
import type { EpochNs } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import type { Slots } from '@bursar/platform';
import type { Kysely } from 'kysely';
import { followedTo } from '../adapters/sql/checkpoints.js';
import { clockOf, walkTenants } from '../adapters/sql/due-timers.js';
import type { Bucket } from './bucket.js';
import type { CloseDue, Taken } from './close-due.js';
import type { Ledger } from './ledger.js';

/** Timers taken in one turn. */
const PER_TURN = 250;
/** Timers of one tenant in a turn that goes round all of them. */
const PER_TENANT = 10;
/** Where more are due than a turn takes, what came due meanwhile is let in so often. */
const LET_IN_EVERY_MS = 500;
const CATCH_UP_MS = 25;
/** For a full turn's worth; at a low rate less is taken sooner. */
const LONGEST_WAIT_MS = 1_000;

/** The clock, and the head of the ledger as it was read after it: what is due by the one is said of positions at or past the other. */
type Moment = Readonly<{ until: EpochNs; head: number }>;

/**
 * Says all that is due in one partition. While more is due than one turn takes, every other turn goes round the tenants, a few timers
 * each: so one budget of a tenant waits for a handful of turns, however many of another's are due and for however long.
 */
export class ClosePartition {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly ledger: Ledger,
    private readonly close: CloseDue,
    private readonly bucket: Bucket,
    private readonly slots: Slots,
    /** Makes a partition's follower look at what there is, and write how far it has come. */
    private readonly hurry: (partition: number) => Promise<void>,
  ) {}

  /** Every timer of the partition that is due by the instant, which is past; and, while there are many, what comes due meanwhile. */
  async execute(partition: number, first: EpochNs, signal: AbortSignal): Promise<void> {
    let { until, head } = await this.#moment(partition, first);
    while (!signal.aborted && !(await this.#isCaughtUp(partition, head))) await pause(CATCH_UP_MS, signal);
    let next: Moment | null = null;
    let letInAt = performance.now();
    let passed = '';
    while (!signal.aborted) {
      const { timers, isFull } = await this.#turn(signal, (most) => this.close.turn(partition, until, most));
      if (timers === 0) return;
      if (!isFull) continue;
      passed = await this.#goRound(partition, until, passed, signal);
      if (next === null && performance.now() - letInAt >= LET_IN_EVERY_MS) next = await this.#moment(partition);
      if (next !== null && (await this.#isCaughtUp(partition, next.head))) {
        ({ until, head } = next);
        next = null;
        letInAt = performance.now();
      }
    }
  }

  /** A turn for the tenants after the one that was passed last; answers whom it has come to. */
  async #goRound(partition: number, until: EpochNs, after: string, signal: AbortSignal): Promise<string> {
    const { tenants, passed } = await walkTenants(this.db, partition, until, after, PER_TURN / PER_TENANT);
    const only = { tenants, each: PER_TENANT };
    if (tenants.length > 0) await this.#turn(signal, (most) => this.close.turn(partition, until, most, only));
    return passed;
  }

  /** The clock is read first. */
  async #moment(partition: number, at?: EpochNs): Promise<Moment> {
    const until = at ?? (await clockOf(this.db));
    return { until, head: (await this.ledger.heads()).get(partition) ?? 0 };
  }

  async #isCaughtUp(partition: number, head: number): Promise<boolean> {
    const { timers, balances } = await followedTo(this.db, partition);
    if (timers < head) await this.hurry(partition);
    return timers >= head && balances >= head;
  }

  /** None when it is told to end. */
  #turn(signal: AbortSignal, turn: (most: number) => Promise<Taken>): Promise<Taken> {
    return this.slots.run(async () => {
      const most = await this.#admit(signal);
      let taken: Taken = { timers: 0, isFull: false };
      try {
        if (most > 0) taken = await turn(most);
        return taken;
      } finally {
        this.bucket.giveBack(most - taken.timers);
      }
    });
  }

  async #admit(signal: AbortSignal): Promise<number> {
    while (!signal.aborted) {
      const most = this.bucket.take(PER_TURN, performance.now());
      if (most > 0) return most;
      await pause(Math.min(this.bucket.waitMs(PER_TURN, performance.now()), LONGEST_WAIT_MS), signal);
    }
    return 0;
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal }).catch(() => undefined);
