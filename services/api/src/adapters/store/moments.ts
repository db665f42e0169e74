import { formatInstant, NS_PER_MS, parseInstant, partitionOf } from '@bursar/contracts';
import type { AsOf } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { Then } from '../../domain/budget-as-of.js';

/** What `asOf` means: an instant is the last event recorded by then, evaluated with that clock; a position, with its own event's clock. */
@Injectable()
export class Moments {
  constructor(private readonly store: EventStore) {}

  /** Throws 400 for what has not happened yet, and for a position of another partition. */
  async resolve(tenant: string, asOf: AsOf): Promise<Then> {
    const partition = partitionOf(tenant, this.store.partitions);
    const head = (await this.store.heads()).find((one) => one.partition === partition)?.position ?? 0;
    if (asOf.kind === 'position') {
      if (asOf.partition !== partition) throw refused('position_format', 'A position of another partition');
      if (asOf.position > head) throw refused('future', 'The ledger has not come to that position yet');
      const recordedAt = await this.#recordedAt(partition, asOf.position);
      return { partition, position: asOf.position, now: recordedAt === null ? 0n : parseInstant(recordedAt) };
    }
    const now = parseInstant(asOf.at);
    if (now > BigInt(Math.trunc((await this.store.clock()) * 1_000)) * (NS_PER_MS / 1_000n)) {
      throw refused('future', `${formatInstant(now)} has not come yet`);
    }
    return { partition, position: await this.#lastBy(partition, head, asOf.at), now };
  }

  /** In some twenty small reads: `recordedAt` never decreases in a partition. */
  async #lastBy(partition: number, head: number, at: string): Promise<number> {
    const limit = parseInstant(at);
    let [low, high] = [0, head];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const recordedAt = await this.#recordedAt(partition, middle);
      if (recordedAt !== null && parseInstant(recordedAt) <= limit) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** When the event at a position was recorded; null before the first. */
  async #recordedAt(partition: number, position: number): Promise<string | null> {
    if (position === 0) return null;
    const [event] = await this.store.readPartition(partition, position - 1, 1);
    return event?.recordedAt ?? null;
  }

  /** Of several positions. */
  async recordedAt(partition: number, positions: Iterable<number>): Promise<ReadonlyMap<number, string>> {
    const found = new Map<number, string>();
    for (const position of new Set(positions)) found.set(position, (await this.#recordedAt(partition, position)) ?? formatInstant(0n));
    return found;
  }
}

const refused = (code: 'future' | 'position_format', message: string): Problem =>
  new Problem(code, message, { errors: [{ pointer: '/asOf', message, code }] });
