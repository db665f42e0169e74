import type { LedgerEvent } from '@bursar/contracts';
import type { EventStore } from '@bursar/event-store';
import { Causes } from '../../features/ports.js';

/** Appends remembered of a partition: a crossing is told soon after its cause. */
const REMEMBERED = 500;

/** `last`: the last position recorded at that moment; what is between it and the one before was, too. */
type Append = Readonly<{ last: number; at: string }>;
type Past = { first: number; appends: Append[] };

/** From the loop's own memory of what it has just read, else from the store. */
export class StoreCauses extends Causes {
  readonly #pasts = new Map<number, Past>();

  constructor(private readonly store: Pick<EventStore, 'readPartition'>) {
    super();
  }

  fold(partition: number, events: readonly LedgerEvent[]): void {
    const [first] = events;
    if (first === undefined) return;
    const known = this.#pasts.get(partition);
    const follows = known !== undefined && (known.appends.at(-1)?.last ?? 0) === first.position - 1;
    const past: Past = follows ? known : { first: first.position, appends: [] };
    for (const { position: last, recordedAt: at } of events) {
      if (past.appends.at(-1)?.at === at) past.appends.pop();
      past.appends.push({ last, at });
    }
    const forgotten = past.appends.splice(0, past.appends.length - REMEMBERED).at(-1);
    if (forgotten !== undefined) past.first = forgotten.last + 1;
    this.#pasts.set(partition, past);
  }

  async recordedAt(partition: number, position: number): Promise<string | null> {
    const past = this.#pasts.get(partition);
    const append = past === undefined || position < past.first ? undefined : past.appends.find(({ last }) => position <= last);
    if (append !== undefined) return append.at;
    const [event] = await this.store.readPartition(partition, position - 1, 1);
    return event?.recordedAt ?? null;
  }
}
