import { setTimeout as delay } from 'node:timers/promises';
import { type NatsFault, natsFaults } from '../nats-faults.ts';
import { Random } from './random.ts';

/** From the end of one to the beginning of the next: long enough for streams to come back in between, now and then. */
const EVERY_MS = [5_000, 20_000] as const;
const DOWN_MS = 3_000;

/** Breaks NATS in every way there is, one after the other in an order of the seed, while everything else goes on. */
export class NatsBreaker {
  readonly made: string[] = [];
  readonly #random: Random;
  readonly #faults: readonly NatsFault[];
  readonly #say: (line: string) => void;

  constructor(dataDir: string, seed: number, say: (line: string) => void) {
    this.#random = new Random(seed, 'nats');
    this.#faults = natsFaults({ dataDir, downMs: DOWN_MS });
    this.#say = say;
  }

  /** Until the signal aborts; NATS answers again when it resolves. */
  async run(stop: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    let left: NatsFault[] = [];
    while (!stop.aborted) {
      await delay(this.#random.between(...EVERY_MS), undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) return;
      if (left.length === 0) left = [...this.#faults];
      const fault = this.#random.pick(left);
      left = left.filter((other) => other !== fault);
      if (fault !== undefined) await this.#inflict(fault, startedAt);
    }
  }

  /** Another fault may be at work on NATS at the same time, and this one find nothing to break. */
  async #inflict(fault: NatsFault, startedAt: number): Promise<void> {
    const at = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6);
    try {
      await fault.inflict();
      this.made.push(fault.name);
      this.#say(`${at} s  NATS ${fault.name}`);
    } catch (error) {
      this.#say(`${at} s  NATS could not be ${fault.name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
}
