import type { PartitionHead } from '@bursar/event-store';
import { gauge, type Sample } from '../counters.js';

/** A head that was seen, and when on the monotonic clock (ms). */
type Target = Readonly<{ position: number; seenAt: number }>;

/** How far the fan-out is behind the store, as the relay sees it. Time is an argument. */
export class Progress {
  readonly #positions = new Map<number, number>();
  readonly #heads = new Map<number, number>();
  /** Of a partition that is behind: the head it has to reach to be no longer as late as it is. */
  readonly #targets = new Map<number, Target>();

  /** Where the fan-out of a partition stands. */
  reached(partition: number, position: number, now: number): void {
    this.#positions.set(partition, position);
    this.#aim(partition, now);
  }

  heads(heads: readonly Pick<PartitionHead, 'partition' | 'position'>[], now: number): void {
    for (const { partition, position } of heads) {
      this.#heads.set(partition, position);
      this.#aim(partition, now);
    }
  }

  /** Another process may lead from here on. */
  forget(): void {
    this.#positions.clear();
    this.#heads.clear();
    this.#targets.clear();
  }

  samples(leading: boolean, now: number): readonly Sample[] {
    let events = 0;
    for (const [partition, head] of this.#heads) events += Math.max(0, head - (this.#positions.get(partition) ?? 0));
    const oldest = Math.min(now, ...[...this.#targets.values()].map(({ seenAt }) => seenAt));
    return [
      gauge('bursar_relay_leader', '1 in the process that relays', leading ? 1 : 0),
      gauge('bursar_relay_lag_events', 'Events in the store that are not on events.* yet; 0 where another process relays', events),
      gauge('bursar_relay_lag_seconds', 'For how long the oldest of them has been known', (now - oldest) / 1_000),
    ];
  }

  #aim(partition: number, now: number): void {
    const reached = this.#positions.get(partition) ?? 0;
    const head = this.#heads.get(partition) ?? 0;
    const target = this.#targets.get(partition);
    if (target !== undefined && reached < target.position) return;
    if (reached >= head) this.#targets.delete(partition);
    else this.#targets.set(partition, { position: head, seenAt: now });
  }
}
