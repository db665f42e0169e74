import type { EpochNs } from '@bursar/contracts';
import type { LeaseKey } from '@bursar/leases';
import type { Ask } from '../domain/holds/ask.js';
import type { TenantFold } from '../domain/tenant-fold.js';
import { HoldDecider, type KnownHolds, keyOf } from './decide-holds.js';
import type { FoldMemory } from './fold-memory.js';
import type { Waiting } from './hold-group.js';
import { HoldLane } from './hold-lane.js';
import { type Fenced, NotDecidedError, OutcomeUnknownError, type ReleaseOutcome, type ReserveOutcome } from './hold-outcomes.js';
import type { Ledger } from './ledger.js';
import type { OwnChanges } from './own-changes.js';
import type { HoldKey, ProjectionTables } from './projection-tables.js';
import type { Turns } from './turns.js';
import type { Watermark } from './watermark.js';

/** So many are decided without a pause, and go on their way; an append costs as much as tens of decisions, so that fewer would be slower. */
const TOGETHER = 128;

export type DeskParts = Readonly<{
  memory: FoldMemory;
  tables: Pick<ProjectionTables, 'holds'>;
  ledger: Pick<Ledger, 'appendHolds'>;
  /** Told what is appended. */
  own: OwnChanges;
  turns: Turns;
  folded: Watermark;
  makeRoom: () => void;
  now: () => EpochNs;
  key: LeaseKey;
  /** Revision of `PartitionTaken`, by which this owner took the stream of holds. */
  revision: number;
  /** Of a sample of grants: what they broke, which is to be nothing. */
  checked: (violations: readonly string[]) => void;
  /** The state is worth nothing any more: the session ends. */
  failed: (error: Error) => void;
}>;

/**
 * Decides reservations, releases and expiries on what is folded and what is decided beside it, in groups: what is decided while an append
 * is on its way shares the next one, and is answered once that is durable.
 */
export class HoldDesk {
  readonly #lane: HoldLane;
  readonly #decider: HoldDecider;
  #queue: Waiting[] = [];
  #running = false;
  #over: Error | null = null;

  constructor(private readonly parts: DeskParts) {
    this.#lane = new HoldLane(parts.ledger, parts.own, parts.key, parts.revision, (error) => this.#fail(error));
    this.#decider = new HoldDecider(parts.folded, parts.now, parts.checked, () => this.#lane.appended);
  }

  reserve(tenant: string, ask: Ask): Promise<Fenced<ReserveOutcome>> {
    return new Promise((done, fail) => this.#take({ want: 'reserve', tenant, ask, done, fail }));
  }

  release(tenant: string, reservationId: string): Promise<Fenced<ReleaseOutcome>> {
    return new Promise((done, fail) => this.#take({ want: 'release', tenant, reservationId, done, fail }));
  }

  /** Of a hold whose time was over before everything that is folded by now was recorded. */
  expire(tenant: string, reservationId: string): Promise<Fenced<ReleaseOutcome>> {
    return new Promise((done, fail) => this.#take({ want: 'expire', tenant, reservationId, done, fail }));
  }

  /** The session is over: what was not decided is somebody else's to decide. */
  stop(): void {
    this.#over ??= new NotDecidedError('the session ended');
    const queue = this.#queue;
    this.#queue = [];
    for (const { fail } of queue) fail(this.#over);
    this.#lane.stop();
  }

  #take(waiting: Waiting): void {
    if (this.#over !== null) {
      waiting.fail(this.#over);
      return;
    }
    this.#queue.push(waiting);
    if (this.#running) return;
    this.#running = true;
    // Who asks in the same turn of the event loop shares the first group too.
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 && this.#over === null) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#decideAll(batch);
      } catch (cause) {
        // Some may be decided and not said: as if the append of all had failed.
        const error = new OutcomeUnknownError('a group could not be decided', { cause });
        this.#lane.stop(error);
        for (const { fail } of batch) fail(error);
        this.#fail(asError(cause));
      }
      await turn();
    }
    this.#running = false;
  }

  async #decideAll(batch: readonly Waiting[]): Promise<void> {
    const { memory } = this.parts;
    // What is looked up stays in memory until it is decided.
    memory.lookups += 1;
    try {
      const known = await this.#lookUp(batch);
      if (known === null) return;
      for (let from = 0; from < batch.length; from += TOGETHER) {
        if (from > 0) await turn();
        if (this.#over !== null) {
          // Memory may be in the middle of an event, and nobody would hear what is put back.
          for (const { fail } of batch.slice(from)) fail(this.#over);
          return;
        }
        this.#decide(batch.slice(from, from + TOGETHER), known);
        if (this.#lane.open.isFull) await this.#lane.landed();
      }
    } finally {
      memory.lookups -= 1;
    }
  }

  /** What the tables have of it, with what it needs in memory; null: they did not answer, and nothing of it was decided. */
  async #lookUp(batch: readonly Waiting[]): Promise<KnownHolds | null> {
    try {
      const asked = this.#unknownIds(batch);
      if (this.#lacking(batch)) await this.#load(batch);
      if (asked.length === 0) return NONE;
      return new Map((await this.parts.tables.holds(asked)).map((hold) => [keyOf(hold.tenant, hold.id), hold]));
    } catch (error) {
      for (const { fail } of batch) fail(asError(error));
      return null;
    }
  }

  /** Without a pause between two decisions, then on their way. */
  #decide(slice: readonly Waiting[], known: KnownHolds): void {
    const now = this.parts.now();
    this.#decider.begin();
    for (let index = 0; index < slice.length; index += 1) {
      const waiting = slice[index] as Waiting;
      if (this.#lane.open.isFull) {
        this.#queue.unshift(...slice.slice(index));
        break;
      }
      const tenant = this.parts.memory.known(waiting.tenant);
      // What it needs was let go meanwhile: with the next group.
      if (tenant === undefined || !this.#decider.decide(tenant, waiting, known, now, this.#lane.open)) this.#queue.push(waiting);
    }
    this.#lane.send();
  }

  /** Ids that memory does not know and that may be used up long ago. Asked for before anything is decided. */
  #unknownIds(batch: readonly Waiting[]): readonly HoldKey[] {
    const keys: HoldKey[] = [];
    for (const waiting of batch) {
      if (waiting.want === 'reserve' && !waiting.ask.isCallers) continue;
      const reservationId = waiting.want === 'reserve' ? waiting.ask.reservationId : waiting.reservationId;
      const tenant = this.parts.memory.known(waiting.tenant);
      if (tenant?.holds.has(reservationId) === true || tenant?.undecided.get(reservationId) !== undefined) continue;
      keys.push({ tenant: waiting.tenant, reservationId });
    }
    return keys;
  }

  #lacking(batch: readonly Waiting[]): boolean {
    // Many ask about one path: what the first of them needs, those need that ask as plainly.
    const there = new Map<TenantFold, Set<string>>();
    return batch.some((waiting) => {
      const tenant = this.parts.memory.known(waiting.tenant);
      if (tenant === undefined) return true;
      if (waiting.want !== 'reserve') return false;
      const scope = onlyScope(waiting.ask);
      const seen = there.get(tenant) ?? new Set();
      if (scope !== null && seen.has(scope)) return false;
      const { found } = this.#decider.gather(tenant, waiting.ask);
      if (scope !== null && found === 'all') there.set(tenant, seen.add(scope));
      return found === 'some';
    });
  }

  /** By turns with the fold, as a check that lacks something. */
  #load(batch: readonly Waiting[]): Promise<void> {
    const { memory, turns, makeRoom } = this.parts;
    const gather = (tenant: TenantFold, ask: Ask) => this.#decider.gather(tenant, ask);
    return turns.take(async () => {
      makeRoom();
      for (const waiting of batch) {
        const tenant = await memory.tenant(waiting.tenant);
        if (waiting.want !== 'reserve') continue;
        for (let found = gather(tenant, waiting.ask); found.found === 'some'; found = gather(tenant, waiting.ask)) {
          await memory.load(found.missing);
        }
      }
    });
  }

  #fail(error: Error): void {
    this.stop();
    this.parts.failed(error);
  }
}

const NONE: KnownHolds = new Map();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Where nothing else decides which budgets apply; else null. */
const onlyScope = ({ scopes, category, dimensions }: Ask): string | null =>
  scopes.length === 1 && category === undefined && dimensions === undefined ? (scopes[0] ?? null) : null;
