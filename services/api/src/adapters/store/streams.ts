import { decodeStored } from '@bursar/bus';
import { contentHash, derivedId, type EventMeta, type LedgerEvent, partitionOf } from '@bursar/contracts';
import { type AppendRequest, EventStore, type EventToAppend } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { NewEvent } from '../../domain/new-event.js';
import type { CommandContext } from '../../features/command-context.js';

/** How one kind of stream is folded. `evolve` answers the next state; it may be the same object, changed, where `live` is set. */
export type Aggregate<S> = Readonly<{
  initial: (tenant: string) => S;
  evolve: (state: S, event: LedgerEvent) => S;
  /** Keep the folded state between commands and read the stream's tail only: for long streams (scopes, prices). */
  live: boolean;
}>;

/** A folded stream. `revision` is -1 and `position` 0 while it does not exist. */
export type Loaded<S> = { state: S; revision: number; position: number };
/** What a command left behind: the decided state, the stream's revision and where in the partition it is. */
export type Outcome<S> = Readonly<{
  state: S;
  revision: number;
  partition: number;
  position: number;
  /** Something was decided, now or by an earlier attempt of the same request. */
  changed: boolean;
}>;

/** Another writer keeps winning the race for a stream: after so many decisions the caller is told. */
const MAX_DECISIONS = 20;
/** More events than any command decides: a price list of 20,000 prices is 40. */
const MAX_UNIT = 64;
const PAGE = 500;
/** Folded states kept of a kind; the least recently used goes first. */
const MAX_LIVE = 200;

/** Loads, decides, appends at the loaded revision; reads again and decides again when somebody was faster. */
@Injectable()
export class Streams {
  /** By what they are folded to: one stream may be read for several. */
  readonly #live = new Map<unknown, Map<string, Loaded<unknown>>>();

  constructor(private readonly store: EventStore) {}

  /** Folds the stream to its end. */
  async load<S>(stream: string, tenant: string, aggregate: Aggregate<S>): Promise<Loaded<S>> {
    const loaded = aggregate.live ? this.#remembered(stream, tenant, aggregate) : fresh(tenant, aggregate);
    for (;;) {
      const from = loaded.revision + 1;
      const page = await this.store.readStream(stream, from, PAGE);
      for (const event of page) {
        // Two loads of one live state may read the same tail: each event is folded once.
        if (event.revision !== loaded.revision + 1) continue;
        loaded.state = aggregate.evolve(loaded.state, decodeStored(event));
        loaded.revision = event.revision;
        loaded.position = event.position;
      }
      // The store ends a page at some megabytes too.
      if (page.length === 0) return loaded;
    }
  }

  /**
   * Runs a decision against the newest state until its events are appended. Throws what the decision throws, what the store throws
   * (an append without an answer may have happened: the same Idempotency-Key finds out), and {@link Problem} `conflict`.
   */
  async transact<S>(
    stream: string,
    context: CommandContext,
    aggregate: Aggregate<S>,
    decision: (loaded: Readonly<Loaded<S>>) => readonly NewEvent[],
  ): Promise<Outcome<S>> {
    const partition = partitionOf(context.tenant, this.store.partitions);
    let mayBeDone = context.repeated;
    for (let attempt = 0; attempt < MAX_DECISIONS; attempt += 1) {
      const done = mayBeDone ? await this.#find(partition, context) : undefined;
      const loaded = await this.load(stream, context.tenant, aggregate);
      if (done !== undefined) return { state: loaded.state, revision: loaded.revision, partition, position: done, changed: true };
      const events = decision(loaded).map((event, index) => toAppend(event, index, context));
      if (events.length === 0)
        return { state: loaded.state, revision: loaded.revision, partition, position: loaded.position, changed: false };
      const expectedRevision = loaded.revision === -1 ? 'none' : loaded.revision;
      const position = await this.#append({ partition, stream, events, expectedRevision });
      if (typeof position !== 'number') {
        mayBeDone ||= position === 'id_taken';
        continue;
      }
      const after = await this.load(stream, context.tenant, aggregate);
      return { state: after.state, revision: after.revision, partition, position, changed: true };
    }
    throw new Problem('conflict', 'Others kept changing it at the same time.', { retryAfter: 1 });
  }

  /**
   * For a stream of a new name, which nobody else can have begun: decides on nothing and appends, without reading. When it is there all
   * the same, an earlier attempt of the same request got through.
   */
  async begin<S>(
    stream: string,
    context: CommandContext,
    aggregate: Aggregate<S>,
    decision: (loaded: Readonly<Loaded<S>>) => readonly NewEvent[],
  ): Promise<Omit<Outcome<S>, 'state'>> {
    if (!context.repeated) {
      const partition = partitionOf(context.tenant, this.store.partitions);
      const events = decision(fresh(context.tenant, aggregate)).map((event, index) => toAppend(event, index, context));
      const position = await this.#append({ partition, stream, events, expectedRevision: 'none' });
      if (typeof position === 'number') return { revision: events.length - 1, partition, position, changed: true };
    }
    return this.transact(stream, { ...context, repeated: true }, aggregate, decision);
  }

  /** Appends facts that exclude nothing, whatever else is in the stream. Throws as {@link transact}. */
  async add(
    stream: string,
    context: CommandContext,
    events: readonly NewEvent[],
  ): Promise<Readonly<{ partition: number; position: number }>> {
    const partition = partitionOf(context.tenant, this.store.partitions);
    const known = context.repeated ? await this.#find(partition, context) : undefined;
    if (known !== undefined) return { partition, position: known };
    const unit = events.map((event, index) => toAppend(event, index, context));
    const position = await this.#append({ partition, stream, events: unit, expectedRevision: 'any' });
    if (typeof position === 'number') return { partition, position };
    // An attempt before this one got through meanwhile, with another clock reading in it: that one stands.
    const earlier = await this.#find(partition, context);
    if (earlier === undefined) throw new Error('an event id is taken that cannot be found');
    return { partition, position: earlier };
  }

  /** Position of the unit's last event, or why it was not stored. */
  async #append(request: AppendRequest): Promise<number | 'moved_on' | 'id_taken'> {
    const result = await this.store.append(request);
    if (!result.ok) return 'moved_on';
    let last = 0;
    for (const outcome of result.outcomes) {
      if (outcome.status === 'conflict') return 'id_taken';
      last = Math.max(last, outcome.position);
    }
    return last;
  }

  /** Where the command's last event lies when an earlier attempt under the same request id got through. */
  async #find(partition: number, context: CommandContext): Promise<number | undefined> {
    const ids = Array.from({ length: MAX_UNIT }, (_, index) => eventId(context, index));
    const found = [...(await this.store.lookup(partition, ids)).values()];
    return found.length === 0 ? undefined : Math.max(...found.map(({ position }) => position));
  }

  #remembered<S>(stream: string, tenant: string, aggregate: Aggregate<S>): Loaded<S> {
    const live = this.#live.get(aggregate) ?? new Map<string, Loaded<unknown>>();
    this.#live.set(aggregate, live);
    const known = live.get(stream) as Loaded<S> | undefined;
    const loaded = known ?? fresh(tenant, aggregate);
    live.delete(stream);
    live.set(stream, loaded);
    const [oldest] = live.keys();
    if (live.size > MAX_LIVE && oldest !== undefined) live.delete(oldest);
    return loaded;
  }
}

const fresh = <S>(tenant: string, aggregate: Aggregate<S>): Loaded<S> => ({ state: aggregate.initial(tenant), revision: -1, position: 0 });

const eventId = (context: CommandContext, index: number): string => derivedId('command', context.tenant, context.requestId, String(index));

const toAppend = (event: NewEvent, index: number, context: CommandContext): EventToAppend => {
  const meta: EventMeta = {
    tenant: context.tenant,
    actor: context.actor,
    via: 'http',
    causationId: context.requestId,
    ...context.trace,
  };
  return {
    id: eventId(context, index),
    type: event.type,
    version: 1,
    data: JSON.stringify(event.data),
    meta: JSON.stringify(meta),
    contentHash: contentHash({ type: event.type, data: event.data }),
  };
};
