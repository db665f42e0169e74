import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type EpochNs, NS_PER_SECOND, partitionOf } from '@bursar/contracts';
import type { Emitted } from '../domain/emitted.js';
import { type Refusing, refusalEvent, refusalKey } from '../domain/refusal-event.js';
import type { Ledger } from './ledger.js';
import { Refusals } from './refusals.js';

/** Refused again within this, it is the same refusal, counted (PRODUCT C4). */
const WINDOW = 60n * NS_PER_SECOND;
const SWEEP_MS = 5_000;
/** Refusals that wait for the store, and kinds of them that are remembered. What is beyond is lost, and counted. */
const MAX_WAITING = 10_000;
const MAX_WINDOWS = 10_000;
const MOST_AT_ONCE = 200;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** At the end the store gets so long to take what waits. */
const FAREWELL_MS = 2_000;

type Window = { readonly decisionId: string; readonly until: EpochNs; repeats: Refusing | null; count: number };

/** Told what became of refusals, for metrics. */
export abstract class RefusalWatch {
  abstract recorded(events: number): void;
  /** They will never be in the ledger: too many wait, or the process ends while the store does not answer. */
  abstract lost(refusals: number): void;
  abstract failed(error: unknown): void;
}

/**
 * Writes refusals to the tenant's usage stream, behind the answers: the first of a kind at once, its repeats within a minute as one more event
 * that says how many they were. Nothing waits for it; what the store does not take is tried again.
 */
export class RecordedRefusals extends Refusals {
  readonly #windows = new Map<string, Window>();
  #waiting: Readonly<{ event: Emitted; tenant: string; count: number }>[] = [];
  #writing: Promise<void> | null = null;
  #stopped = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly ledger: Pick<Ledger, 'append' | 'partitions'>,
    private readonly watch: RefusalWatch,
    private readonly now: () => EpochNs,
  ) {
    super();
    this.#timer = setInterval(() => this.#sweep(this.now()), SWEEP_MS);
    this.#timer.unref();
  }

  refused(refusing: Refusing): string {
    const key = refusalKey(refusing);
    const known = this.#windows.get(key);
    if (known !== undefined && refusing.at < known.until) {
      known.repeats ??= refusing;
      known.count += 1;
      return known.decisionId;
    }
    if (known !== undefined) this.#tellRepeats(key, known);
    const decisionId = randomUUID();
    if (this.#windows.size < MAX_WINDOWS) {
      this.#windows.set(key, { decisionId, until: refusing.at + WINDOW, repeats: null, count: 0 });
    }
    this.#enqueue(refusing, decisionId, 1);
    return decisionId;
  }

  /** Writes what is left, as far as the store takes it in time. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const [key, window] of this.#windows) this.#tellRepeats(key, window);
    this.#write();
    await Promise.race([this.#writing, delay(FAREWELL_MS, undefined, { ref: false })]);
    this.#stopped = true;
    const left = this.#waiting.reduce((sum, { count }) => sum + count, 0);
    if (left > 0) this.watch.lost(left);
  }

  #sweep(now: EpochNs): void {
    for (const [key, window] of this.#windows) if (now >= window.until) this.#tellRepeats(key, window);
  }

  #tellRepeats(key: string, { decisionId, repeats, count }: Window): void {
    this.#windows.delete(key);
    if (repeats !== null) this.#enqueue(repeats, `${decisionId}/repeats`, count);
  }

  #enqueue(refusing: Refusing, decisionId: string, count: number): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.watch.lost(count);
      return;
    }
    this.#waiting.push({ event: refusalEvent(refusing, decisionId, count), tenant: refusing.tenant, count });
    this.#write();
  }

  #write(): void {
    if (this.#writing !== null || this.#waiting.length === 0) return;
    // After the answers of this turn of the event loop.
    this.#writing = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#writeAll())
      .finally(() => {
        this.#writing = null;
        if (!this.#stopped) this.#write();
      });
  }

  /** Never rejects: a failure is told, and tried again. */
  async #writeAll(): Promise<void> {
    for (let wait = FIRST_RETRY_MS; this.#waiting.length > 0 && !this.#stopped; ) {
      const [first] = this.#waiting;
      const unit = this.#waiting.filter(({ tenant }) => tenant === first?.tenant).slice(0, MOST_AT_ONCE);
      try {
        const partition = partitionOf(first?.tenant ?? '', this.ledger.partitions);
        await this.ledger.append(
          partition,
          first?.event.stream ?? '',
          unit.map(({ event }) => event),
        );
        this.#waiting = this.#waiting.filter((one) => !unit.includes(one));
        this.watch.recorded(unit.length);
        wait = FIRST_RETRY_MS;
      } catch (error) {
        this.watch.failed(error);
        await delay(wait, undefined, { ref: false });
        wait = Math.min(wait * 2, LAST_RETRY_MS);
      }
    }
  }
}
