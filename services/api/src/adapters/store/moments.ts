import { formatInstant, NS_PER_MS, parseInstant, partitionOf } from '@bursar/contracts';
import type { AsOf } from '@bursar/contracts/http';
import { EventStore, lastRecordedBy, recordedAt } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { Then } from '../../domain/budget-as-of.js';

/** What `asOf` means: an instant is the last event recorded by then, evaluated with that clock; a position, with its own event's clock. */
@Injectable()
export class Moments {
  constructor(private readonly store: EventStore) {}

  /** Throws 400 for what has not happened yet, and for a position of another partition. */
  async resolve(tenant: string, asOf: AsOf): Promise<Then> {
    const { partition, position: head } = await this.head(tenant);
    if (asOf.kind === 'position') {
      if (asOf.partition !== partition) throw refused('position_format', 'A position of another partition');
      if (asOf.position > head) throw refused('future', 'The ledger has not come to that position yet');
      const at = await recordedAt(this.store, partition, asOf.position);
      return { partition, position: asOf.position, now: at === null ? 0n : parseInstant(at) };
    }
    const now = parseInstant(asOf.at);
    if (now > BigInt(Math.trunc((await this.store.clock()) * 1_000)) * (NS_PER_MS / 1_000n)) {
      throw refused('future', `${formatInstant(now)} has not come yet`);
    }
    return { partition, position: await lastRecordedBy(this.store, partition, head, asOf.at), now };
  }

  /** Where the ledger of the tenant's partition ends: all that was answered before is in it. */
  async head(tenant: string): Promise<Readonly<{ partition: number; position: number }>> {
    const partition = partitionOf(tenant, this.store.partitions);
    const position = (await this.store.heads()).find((one) => one.partition === partition)?.position ?? 0;
    return { partition, position };
  }

  /** When the events at several positions were recorded. */
  async recordedAt(partition: number, positions: Iterable<number>): Promise<ReadonlyMap<number, string>> {
    const found = new Map<number, string>();
    for (const position of new Set(positions))
      found.set(position, (await recordedAt(this.store, partition, position)) ?? formatInstant(0n));
    return found;
  }
}

const refused = (code: 'future' | 'position_format', message: string): Problem =>
  new Problem(code, message, { errors: [{ pointer: '/asOf', message, code }] });
