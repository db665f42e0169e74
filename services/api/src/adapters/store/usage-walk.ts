import { type EpochNs, type EventOf, type LedgerEvent, NS_PER_SECOND, parseInstant, usageStream } from '@bursar/contracts';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { readable } from './readable.js';

const PAGE = 1_000;
/** No event may be further ahead of the clock than 5 minutes; the rest is for clocks that differ. */
const AHEAD = 3_600n * NS_PER_SECOND;

export type Walk = Readonly<{
  /** Begin at this revision of the tenant's usage, inclusive. */
  from: number;
  /** Usage of before this moment is not asked for: what was recorded well before it need not be read. */
  since?: EpochNs | undefined;
}>;

/** Recorded, taken back or rerated, or refused beforehand. */
export type WalkedEvent = EventOf<'UsageRecorded' | 'UsageVoided' | 'UsageRerated' | 'UsageRefused'>;
const WALKED: ReadonlySet<string> = new Set(['UsageRecorded', 'UsageVoided', 'UsageRerated', 'UsageRefused']);
const isWalked = (event: LedgerEvent): event is WalkedEvent => WALKED.has(event.type);

/** A tenant's usage from the ledger itself, newest first, read as far as it is asked for. What was said of usage comes before it. */
@Injectable()
export class UsageWalk {
  constructor(private readonly store: EventStore) {}

  async *backwards(tenant: string, { from, since }: Walk): AsyncGenerator<WalkedEvent, void> {
    const stream = usageStream(tenant);
    for (let next = from; next >= 0; ) {
      const page = await this.store.readStreamBackwards(stream, next, PAGE);
      for (const stored of page) {
        if (since !== undefined && parseInstant(stored.recordedAt) + AHEAD < since) return;
        const event = readable(stored);
        if (event !== null && isWalked(event)) yield event;
        next = stored.revision - 1;
      }
      if (page.length === 0) return;
    }
  }

  /** The last revision of the tenant's usage; -1 when there is none. */
  async last(tenant: string): Promise<number> {
    return (await this.store.revisions([usageStream(tenant)]))[0] ?? -1;
  }

  /** The last revision at or before a position, in some twenty small reads; -1 when there is none. */
  async lastAt(tenant: string, position: number): Promise<number> {
    let [low, high] = [-1, await this.last(tenant)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const [event] = await this.store.readStream(usageStream(tenant), middle, 1);
      if (event !== undefined && event.position <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
