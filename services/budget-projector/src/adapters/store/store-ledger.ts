import { hash } from 'node:crypto';
import { type Bus, consumeStored, decodeStored } from '@bursar/bus';
import {
  canonicalJson,
  contentHash,
  derivedId,
  EVENT_DEFINITIONS,
  type EventMeta,
  holdsStream,
  UnknownEventError,
  usageStream,
} from '@bursar/contracts';
import { type EventStore, metaOf, type StoredEvent } from '@bursar/event-store';
import { type Emitted, emittedHash } from '../../domain/emitted.js';
import {
  type Appended,
  type FollowOptions,
  type HoldsAppend,
  HoldsRefusedError,
  Ledger,
  type LedgerItem,
  type Taken,
} from '../../features/ledger.js';

/** How often the store is asked for what the bus did not announce (RELIABILITY F10). */
const POLL_MS = 500;

/** An emitted event's id is taken by another content: two releases decided differently, and the first stands. */
export class EmittedConflictError extends Error {
  override readonly name = 'EmittedConflictError';
}

/** The event store, with the bus to be told of what is new. Without a bus the store is polled. */
export class StoreLedger extends Ledger {
  constructor(
    private readonly store: EventStore,
    private readonly bus: Bus | null,
    private readonly onConflict: (stream: string, ids: readonly string[]) => void = () => undefined,
  ) {
    super();
  }

  get partitions(): number {
    return this.store.partitions;
  }

  async follow(
    { partition, after, maxEvents, signal }: FollowOptions,
    handler: (items: readonly LedgerItem[], alive: () => void) => Promise<void>,
  ): Promise<void> {
    const { store, bus } = this;
    const deliver = (events: readonly StoredEvent[], alive: () => void = () => undefined): Promise<void> =>
      deliverUntilUnknown(events, (items) => handler(items, alive));
    if (bus === null) return store.subscribe({ partition, after, batch: maxEvents, pollMs: POLL_MS, signal }, (events) => deliver(events));
    return consumeStored({ store, bus, partition, after, maxEvents, pollMs: POLL_MS, signal }, ({ events }, alive) =>
      deliver(events, alive),
    );
  }

  async read(partition: number, after: number, limit: number): Promise<readonly LedgerItem[]> {
    return (await this.store.readPartition(partition, after, limit)).map(readItem);
  }

  async head(partition: number): Promise<number> {
    const heads = await this.store.heads();
    return heads.find((head) => head.partition === partition)?.position ?? 0;
  }

  settledHead(partition: number): Promise<number> {
    return this.store.settledHead(partition);
  }

  async firstUsage(tenant: string): Promise<number | null> {
    const [first] = await this.store.readStream(usageStream(tenant), 0, 1);
    return first?.position ?? null;
  }

  async usage(tenant: string, fromRevision: number, limit: number): Promise<readonly LedgerItem[]> {
    const events = await this.store.readStream(usageStream(tenant), fromRevision, limit);
    return events.map(readItem);
  }

  async takePartition(partition: number, taken: Taken): Promise<number> {
    const stream = holdsStream(partition);
    const event = toTakenEvent(partition, taken);
    for (let attempt = 0; attempt < TAKE_ATTEMPTS; attempt += 1) {
      const [revision = -1] = await this.store.revisions([stream]);
      const expectedRevision = revision === -1 ? 'none' : revision;
      const result = await this.store.append({ partition, stream, events: [event], expectedRevision });
      const [outcome] = result.ok ? result.outcomes : [];
      if (outcome !== undefined && outcome.status !== 'conflict') return outcome.revision;
    }
    throw new Error(`others keep appending to ${stream}`);
  }

  async appendHolds(partition: number, { id, data, expectedRevision }: HoldsAppend): Promise<Appended> {
    const stream = holdsStream(partition);
    const event = { id, type: 'HoldsChanged', version: HOLDS_VERSION, data, meta: OWN_META, contentHash: hash('sha256', data, 'buffer') };
    const result = await this.store.append({ partition, stream, events: [event], expectedRevision });
    const [outcome] = result.ok ? result.outcomes : [];
    if (outcome === undefined || outcome.status === 'conflict') throw new HoldsRefusedError(`append to ${stream} refused`);
    return { position: outcome.position, revision: outcome.revision };
  }

  async append(partition: number, stream: string, events: readonly Emitted[]): Promise<void> {
    const toAppend = events.map((event) => ({
      id: event.id,
      type: event.type,
      version: event.version,
      data: event.data,
      meta: event.meta,
      contentHash: emittedHash(event),
    }));
    const result = await this.store.append({ partition, stream, events: toAppend, expectedRevision: 'any' });
    if (!result.ok) throw new EmittedConflictError(`append to ${stream} refused at revision ${result.revision}`);
    const conflicts = events.filter((_, index) => result.outcomes[index]?.status === 'conflict');
    if (conflicts.length > 0) {
      this.onConflict(
        stream,
        conflicts.map(({ id }) => id),
      );
    }
  }
}

/** An earlier owner's last append, or another taker, may come in between a few times. */
const TAKE_ATTEMPTS = 10;

/** Of no tenant: events of the partition itself. */
const OWN_META = JSON.stringify({ tenant: '', actor: 'budget-projector', via: 'projector' } satisfies EventMeta);

/** An owner's name is never used twice, so neither is the id, even when epochs begin anew with empty tables. */
const toTakenEvent = (partition: number, { owner, epoch }: Taken) => {
  const data = { partition, epoch, owner };
  return {
    id: derivedId('partition-taken', owner, String(partition), String(epoch)),
    type: 'PartitionTaken',
    version: EVENT_DEFINITIONS.get('PartitionTaken')?.version ?? 1,
    data: canonicalJson(data),
    meta: OWN_META,
    contentHash: contentHash(data),
  };
};

/** Decoded at once, at most: many times the size of its text, and sixteen partitions may have some. Fewer would be folded more slowly. */
const DECODED = { events: 1_000, units: 500_000 };

/** Hands over what is before an event of a newer release, then throws its `UnknownEventError`: the partition must not pass it. */
const deliverUntilUnknown = async (
  events: readonly StoredEvent[],
  handler: (items: readonly LedgerItem[]) => Promise<void>,
): Promise<void> => {
  let items: LedgerItem[] = [];
  let units = 0;
  for (const event of events) {
    units += event.data.length;
    try {
      items.push(readItem(event));
    } catch (error) {
      if (items.length > 0) await handler(items);
      throw error;
    }
    if (items.length < DECODED.events && units < DECODED.units) continue;
    await handler(items);
    items = [];
    units = 0;
  }
  if (items.length > 0) await handler(items);
};

/** Throws `UnknownEventError`; anything else that cannot be decoded is unreadable for good. */
export const readItem = (event: StoredEvent): LedgerItem => {
  try {
    return isNewestHolds(event) ? decodedLater(event) : decodeStored(event);
  } catch (error) {
    if (error instanceof UnknownEventError) throw error;
    const reason = error instanceof Error ? error.name : 'undecodable';
    return { unreadable: `cannot be decoded: ${reason}`, position: event.position, tenant: tenantOf(event) };
  }
};

const HOLDS_VERSION = EVENT_DEFINITIONS.get('HoldsChanged')?.version ?? 1;
const isNewestHolds = ({ type, version }: StoredEvent): boolean => type === 'HoldsChanged' && version === HOLDS_VERSION;

/** Its data are parsed when they are asked for, and may be malformed then: whoever decided what it says never asks. */
const decodedLater = (event: StoredEvent): LedgerItem => {
  let whole: ReturnType<typeof decodeStored> | null = null;
  const get = (): unknown => {
    whole ??= decodeStored(event);
    return whole.data;
  };
  return Object.defineProperty(decodeStored({ ...event, data: 'null' }), 'data', { get, enumerable: true }) as LedgerItem;
};

const tenantOf = (event: StoredEvent): string | null => {
  try {
    return metaOf(event).tenant;
  } catch {
    return null; // the whole event is unreadable; its place is all that is known
  }
};
