import type { PartitionHead } from '@bursar/event-store';
import { gauge, type Sample } from '../../counters.js';
import { Progress } from '../../progress.js';

type Failing = Readonly<{ consumer: string; partition: number; reason: string }>;

/** How the consumers of a process stand: where they are, how late, and what fails. Time is an argument. */
export class Followers {
  readonly #progress = new Map<string, Progress>();
  readonly #failing = new Map<string, Failing>();
  readonly #failures = new Map<string, number>();

  /** It is followed from here on, in this process. */
  begins(consumer: string, partition: number, position: number, now: number): void {
    this.#of(consumer).reached(partition, position, now);
  }

  /** Its handler is done with everything up to a position. */
  reached(consumer: string, partition: number, position: number, now: number): void {
    this.#of(consumer).reached(partition, position, now);
    this.#failing.delete(`${consumer} ${partition}`);
  }

  failed(consumer: string, partition: number, error: unknown): void {
    this.#failures.set(consumer, (this.#failures.get(consumer) ?? 0) + 1);
    // Messages of drivers may name hosts and users; halting errors have names that say enough.
    this.#failing.set(`${consumer} ${partition}`, { consumer, partition, reason: error instanceof Error ? error.name : 'failed' });
  }

  /** Somebody else may follow it from here on. */
  ends(consumer: string, partition: number): void {
    this.#progress.get(consumer)?.forget(partition);
    this.#failing.delete(`${consumer} ${partition}`);
  }

  heads(heads: readonly PartitionHead[], now: number): void {
    for (const progress of this.#progress.values()) progress.heads(heads, now);
  }

  /** One line for each partition whose handler failed since it last was done with a batch. */
  get problems(): readonly string[] {
    return [...this.#failing.values()].map(({ consumer, partition, reason }) => `${consumer}: partition ${partition} failing: ${reason}`);
  }

  samples(consumers: readonly string[], now: number): readonly Sample[] {
    return consumers.flatMap((consumer) => {
      const labels = { consumer };
      const { partitions, events, seconds } = this.#of(consumer).lag(now);
      return [
        { ...gauge('bursar_consumer_partitions', 'Partitions this process follows', partitions), labels },
        {
          ...gauge('bursar_consumer_lag_events', 'Events of these partitions in the store that no handler is done with yet', events),
          labels,
        },
        { ...gauge('bursar_consumer_lag_seconds', 'For how long the oldest of them has been known', seconds), labels },
        { name: 'bursar_consumer_failures_total', help: 'Batches that failed', value: this.#failures.get(consumer) ?? 0, labels },
      ];
    });
  }

  #of(consumer: string): Progress {
    const known = this.#progress.get(consumer) ?? new Progress();
    this.#progress.set(consumer, known);
    return known;
  }
}
