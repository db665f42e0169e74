import {
  type EpochNs,
  type EventOf,
  type LedgerEvent,
  NS_PER_SECOND,
  parseInstant,
  type UsageRecordedEvent,
  usageStream,
} from '@bursar/contracts';
import { type HoldBook, originalOf } from '@bursar/contracts/folds';
import { EventStore, type StoredEvent } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { Holds } from '../sql/holds.js';
import { readable } from './readable.js';

const PAGE = 1_000;
/** No event may be further ahead of the clock than 5 minutes; the rest is for clocks that differ. */
const AHEAD = 3_600n * NS_PER_SECOND;

export type Walk = Readonly<{
  /** Begin at this revision of the tenant's usage, inclusive. */
  from: number;
  /** Usage of before this moment is not asked for: what was recorded well before it need not be read. */
  since?: EpochNs | undefined;
  /** Told what each usage event settles, right before it is handed over. */
  holds: HoldBook;
}>;

/** Recorded, taken back or rerated, or refused beforehand. */
export type WalkedEvent = EventOf<'UsageRecorded' | 'UsageVoided' | 'UsageRerated' | 'UsageRefused'>;
const WALKED: ReadonlySet<string> = new Set(['UsageRecorded', 'UsageVoided', 'UsageRerated', 'UsageRefused']);
const isWalked = (event: LedgerEvent): event is WalkedEvent => WALKED.has(event.type);

/** What an event says happened, or is about. */
export const usageOf = (event: WalkedEvent): readonly UsageRecordedEvent[] => {
  if (event.type === 'UsageRefused') return [];
  return [event.type === 'UsageRecorded' ? event : originalOf(event)];
};

/** A tenant's usage from the ledger itself, newest first, read as far as it is asked for. What was said of usage comes before it. */
@Injectable()
export class UsageWalk {
  constructor(
    private readonly store: EventStore,
    private readonly holds: Holds,
  ) {}

  async *backwards(tenant: string, { from, since, holds }: Walk): AsyncGenerator<WalkedEvent, void> {
    const stream = usageStream(tenant);
    const read = (last: number): Promise<readonly StoredEvent[]> =>
      last < 0 ? Promise.resolve([]) : this.store.readStreamBackwards(stream, last, PAGE);
    const isBefore = (stored: StoredEvent): boolean => since !== undefined && parseInstant(stored.recordedAt) + AHEAD < since;
    let coming = read(from);
    for (;;) {
      const page = await coming;
      const oldest = page.at(-1);
      if (oldest === undefined) return;
      const isLast = isBefore(oldest);
      // The next page is read while this one is looked at. Who stops in between does not want to hear what became of it.
      coming = isLast ? Promise.resolve([]) : read(oldest.revision - 1);
      coming.catch(() => undefined);
      const events = page.flatMap((stored) => {
        const event = isLast && isBefore(stored) ? null : readable(stored);
        return event !== null && isWalked(event) ? [event] : [];
      });
      const grants = await this.holds.named(tenant, events.flatMap(usageOf));
      for (const event of events) {
        for (const usage of usageOf(event)) grants.tell(holds, usage);
        yield event;
      }
      if (isLast) return;
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
