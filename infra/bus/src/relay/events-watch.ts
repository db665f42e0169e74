import { setTimeout as delay } from 'node:timers/promises';
import { EVENTS_STREAM } from '@bursar/contracts/bus';
import { JetStreamApiCodes, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { Bus } from '../bus.js';
import type { Stored } from '../nats/publisher.js';
import type { Checkpoints } from './checkpoints.js';
import type { Marks, StreamState } from './marks.js';

/** EVENTS came back without messages that it had stored. The checkpoints were set back: another term begins there. */
export class EventsLostError extends Error {
  override readonly name = 'EventsLostError';
}

/** Of a stream that lost everything so many of the newest events of each partition are fanned out again; older ones are in the store. */
const REFILL_EVENTS = 10_000;
const CHECK_MS = 10_000;
/** How far apart the marks are that are kept. */
const MARK_MS = 30_000;
const RETRY_MS = 200;
const API_TIMEOUT_MS = 3_000;

/**
 * Whether EVENTS still has what it acknowledged: it may come back wiped, with an older copy of its files, or without what was not
 * yet on disk (RELIABILITY F11, F12). Looked at after every connection, before anything is published on it, and every 10 s. When
 * something is missing, the fan-out goes back to where the stream ends.
 */
export class EventsWatch {
  /** The stream as it was last seen, or stored something. */
  #known: StreamState | null = null;
  #verified = false;
  /** Counts connections. */
  #connection = 0;
  #checking: Promise<void> | null = null;
  #checkedAt = 0;
  #markedAt = Number.NEGATIVE_INFINITY;
  #markedSequence = -1;
  #told = '';
  readonly #forget: () => void;

  constructor(
    private readonly bus: Bus,
    private readonly marks: Marks,
    private readonly checkpoints: Checkpoints,
  ) {
    this.#forget = bus.onDisconnect(() => {
      this.#verified = false;
      this.#connection += 1;
    });
  }

  async start(): Promise<void> {
    this.#known = (await this.marks.newest())?.state ?? null;
  }

  close(): void {
    this.#forget();
  }

  /** Resolves once the stream is known to have everything. Rejects with {@link EventsLostError}, or when the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    while (!this.#verified) {
      signal.throwIfAborted();
      await this.#check();
      if (!this.#verified) await delay(RETRY_MS, undefined, { signal });
    }
  }

  /** The stream stored a message. */
  stored({ sequence, duplicate }: Stored): void {
    if (duplicate || this.#known === null) return;
    // Sequences never go back in the same stream: this is another one.
    if (sequence <= this.#known.sequence) this.#verified = false;
    else this.#known = { ...this.#known, sequence };
  }

  /** Looks again if there is reason to, or it is time to. Rejects with {@link EventsLostError}. */
  async look(now: number): Promise<void> {
    if (!this.#verified || now - this.#checkedAt >= CHECK_MS) await this.#check();
  }

  /**
   * Writes down how far the stream and the fan-out are at this moment. To be called before the checkpoints are saved, so that none is
   * ever saved of which it is not known what the stream had then.
   */
  async note(now: number): Promise<void> {
    const known = this.#known;
    if (known === null || known.sequence === this.#markedSequence) return;
    this.#markedSequence = known.sequence;
    const mark = { state: known, positions: this.checkpoints.positions };
    if (now - this.#markedAt < MARK_MS) return await this.marks.replace(mark);
    this.#markedAt = now;
    await this.marks.add(mark);
  }

  #check(): Promise<void> {
    this.#checking ??= this.#look().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #look(): Promise<void> {
    this.#checkedAt = performance.now();
    // What it stores while it is asked may be in the answer or not.
    const known = this.#known;
    const connection = this.#connection;
    const state = await this.#state();
    if (state === null) return;
    if (known === null) this.#known = state;
    else if (state.created !== known.created || state.sequence < known.sequence) await this.#goBack(known, state);
    this.#verified = this.bus.connected && connection === this.#connection;
  }

  async #goBack(was: StreamState, is: StreamState): Promise<never> {
    const kept = await this.marks.newestWithin(is);
    const positions = this.checkpoints.positions.map((position, partition) =>
      Math.max(0, Math.min(position, kept === null ? position - REFILL_EVENTS : (kept.positions[partition] ?? 0))),
    );
    this.#known = is;
    this.#markedSequence = is.sequence;
    const events = this.checkpoints.positions.reduce((sum, position, partition) => sum + position - (positions[partition] ?? 0), 0);
    await this.checkpoints.rewind(positions);
    await this.marks.forgetBeyond(is);
    await this.marks.add({ state: is, positions });
    this.bus.counters.fanoutRewinds += 1;
    this.bus.logger.warn({ was, is, events }, 'stream EVENTS lost messages that it had stored; they are fanned out again from the store');
    throw new EventsLostError('EVENTS lost messages');
  }

  /** Null while there is none: no connection, or whoever guards the streams has yet to make it. */
  async #state(): Promise<StreamState | null> {
    const nc = this.bus.connection;
    if (nc === null) return null;
    try {
      const { streams } = await jetstreamManager(nc, { timeout: API_TIMEOUT_MS, checkAPI: false });
      const { created, state } = await streams.info(EVENTS_STREAM);
      this.#told = '';
      return { created, sequence: state.last_seq };
    } catch (error) {
      if (!isMissing(error) && String(error) !== this.#told) {
        this.#told = String(error);
        this.bus.logger.warn({ error: String(error) }, 'the state of stream EVENTS cannot be read; the relay asks again');
      }
      return null;
    }
  }
}

const isMissing = (error: unknown): boolean => error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
