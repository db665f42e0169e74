import { setTimeout as delay } from 'node:timers/promises';
import { EVENTS_STREAM } from '@bursar/contracts/bus';
import type { EventStore } from '@bursar/event-store';
import { JetStreamApiCodes, JetStreamApiError, jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import type { Bus } from '../bus.js';
import type { Stored } from '../nats/publisher.js';
import type { StreamState } from './checkpoints.js';
import type { KnownStream, Marks } from './marks.js';
import { type Retention, refillFrom } from './refill.js';

const CHECK_MS = 10_000;
const FORGET_MS = 3_600_000;
const RETRY_MS = 200;
const API_TIMEOUT_MS = 3_000;
const NS_PER_MS = 1_000_000;

type Seen = StreamState & { readonly retention: Retention };

/**
 * Whether EVENTS still has what it acknowledged: it may come back wiped, with an older copy of its files, or without what was not
 * yet on disk (RELIABILITY F11, F12). Looked at whenever a partition is taken, after every connection, before anything is published on
 * it, and every 10 s. When something is missing, the fan-out of all partitions goes back to where the stream ends.
 */
export class EventsWatch {
  #created: string | null = null;
  /** No message that a checkpoint of ours, or of who had the partition before us, stands for has a higher sequence. */
  #highest = 0;
  /** The last one acknowledged to this process. */
  #acked = 0;
  #rewinds = -1;
  #verified = false;
  /** Counts connections. */
  #connection = 0;
  #checking: Promise<void> | null = null;
  #checkedAt = 0;
  #forgotAt = 0;
  #told = '';
  readonly #stop: () => void;

  constructor(
    private readonly bus: Bus,
    private readonly store: EventStore,
    private readonly marks: Marks,
    /** All checkpoints were set back, and their epochs raised: whoever fans out begins again. */
    private readonly wentBack: () => void,
  ) {
    this.#stop = bus.onDisconnect(() => {
      this.#verified = false;
      this.#connection += 1;
    });
  }

  /** What a checkpoint saved at this moment relies on; null before the stream was seen. */
  get state(): StreamState | null {
    return this.#created === null ? null : { created: this.#created, sequence: this.#highest };
  }

  close(): void {
    this.#stop();
  }

  /** To be awaited after a partition was taken: what its former owner had acknowledged is known from here on. Rejects as {@link ready}. */
  async renewed(signal: AbortSignal): Promise<void> {
    // One in progress may have begun before.
    await this.#checking?.catch(() => undefined);
    this.#verified = false;
    await this.ready(signal);
  }

  /** Resolves once the stream is known to have everything. Rejects when the signal aborts, or the database does not answer. */
  async ready(signal: AbortSignal): Promise<void> {
    while (!this.#verified) {
      signal.throwIfAborted();
      await this.#check();
      if (!this.#verified) await delay(RETRY_MS, undefined, { signal });
    }
  }

  /** The stream stored a message. */
  stored({ sequence, duplicate }: Stored): void {
    // Sequences never go back in the same stream: this is another one.
    if (!duplicate && sequence <= this.#acked) this.#verified = false;
    this.#acked = Math.max(this.#acked, sequence);
    // A duplicate may be what a former owner published after we looked.
    this.#highest = Math.max(this.#highest, sequence);
  }

  /** Looks again if there is reason to, or it is time to. */
  async look(now: number): Promise<void> {
    if (!this.#verified || now - this.#checkedAt >= CHECK_MS) await this.#check();
    if (now - this.#forgotAt < FORGET_MS) return;
    this.#forgotAt = now;
    await this.marks.forgetOld();
  }

  #check(): Promise<void> {
    this.#checking ??= this.#look().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #look(): Promise<void> {
    this.#checkedAt = performance.now();
    const connection = this.#connection;
    const noted = await this.marks.stream();
    // Another process found out, and went back for all.
    if (noted !== null && noted.rewinds !== this.#rewinds) this.#adopt(noted);
    // What it stores while it is asked may be in the answer or not.
    const expected = noted === null ? null : { created: noted.created, sequence: Math.max(noted.sequence, this.#highest) };
    const seen = await this.#see();
    if (seen === null) return;
    if (noted === null || expected === null) this.#adopt(await this.marks.begin(seen));
    else if (seen.created !== expected.created || seen.sequence < expected.sequence) return await this.#goBack(expected, seen);
    else this.#highest = Math.max(this.#highest, noted.sequence);
    this.#verified = this.bus.connected && connection === this.#connection;
  }

  #adopt({ created, sequence, rewinds }: KnownStream): void {
    this.#created = created;
    this.#highest = sequence;
    this.#acked = 0;
    this.#rewinds = rewinds;
  }

  /** The next look is the first at what it is then. */
  async #goBack(was: StreamState, { retention, ...is }: Seen): Promise<void> {
    const marked = await this.marks.within(is);
    const isMarked = (partition: number): boolean => marked.has(partition);
    const partitions = Array.from({ length: this.store.partitions }, (_, partition) => partition);
    const refill = partitions.every(isMarked) ? new Map<number, number>() : await refillFrom(this.store, retention);
    const events = await this.marks.goBack(is, this.#rewinds, new Map([...refill, ...marked]));
    this.wentBack();
    if (events === null) return;
    this.bus.counters.fanoutRewinds += 1;
    this.bus.logger.warn({ was, is, events }, 'stream EVENTS lost messages that it had stored; they are fanned out again from the store');
  }

  /** Null while there is none: no connection, or whoever guards the streams has yet to make it. */
  async #see(): Promise<Seen | null> {
    const nc = this.bus.connection;
    if (nc === null) return null;
    try {
      const { streams } = await jetstreamManager(nc, { timeout: API_TIMEOUT_MS, checkAPI: false });
      const { created, state, config } = await streams.info(EVENTS_STREAM);
      this.#told = '';
      return { created, sequence: state.last_seq, retention: retentionOf(config) };
    } catch (error) {
      if (!isMissing(error) && String(error) !== this.#told) {
        this.#told = String(error);
        this.bus.logger.warn({ error: String(error) }, 'the state of stream EVENTS cannot be read; the relay asks again');
      }
      return null;
    }
  }
}

const retentionOf = ({ max_age, max_bytes }: StreamConfig): Retention => ({
  ageMs: max_age > 0 ? max_age / NS_PER_MS : Number.POSITIVE_INFINITY,
  bytes: max_bytes > 0 ? max_bytes : Number.POSITIVE_INFINITY,
});

const isMissing = (error: unknown): boolean => error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
