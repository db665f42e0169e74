import { derivedId, type EpochNs, formatInstant, formatPicos, type HoldChange } from '@bursar/contracts';
import type { LeaseKey } from '@bursar/leases';
import type { Decision } from '../domain/check/decide-check.js';
import { type Gathered, gatherStandings } from '../domain/check/gather-standings.js';
import { blocks, type Question, roomOf, type Scene, type Standing } from '../domain/check/standing.js';
import { type Ask, questionOf } from '../domain/holds/ask.js';
import { decideReserve } from '../domain/holds/decide-reserve.js';
import { type GrantParts, partsOf } from '../domain/holds/grant-text.js';
import type { Hold } from '../domain/holds/hold.js';
import type { TenantFold } from '../domain/tenant-fold.js';
import type { FoldMemory } from './fold-memory.js';
import type { Ledger } from './ledger.js';
import type { HoldKey, ProjectionTables } from './projection-tables.js';
import type { Turns } from './turns.js';
import type { Watermark } from './watermark.js';

/** The hold that a reservation id stands for. `tightest`: of the decision itself; null where the hold was there before, or nothing limits it. */
export type Held = Readonly<{ parts: GrantParts; status: Hold['status']; position: number; tightest: Standing | null }>;

export type ReserveOutcome =
  | Readonly<{ is: 'held'; held: Held }>
  | Readonly<{ is: 'refused'; decision: Decision; scene: Scene; question: Question; position: number }>
  | Readonly<{ is: 'unpriced'; units: readonly string[] }>
  /** A budget that blocks is still adding up its past. */
  | Readonly<{ is: 'counting' }>
  /** The id stands for another body, or usage has named it already. */
  | Readonly<{ is: 'conflict' }>;

/** `gone`: released or expired before. */
export type ReleaseOutcome = Readonly<{ is: 'released' | 'gone' | 'settled' | 'unknown'; position: number }>;

/** `isFenced`: the ledger took the decision, so it stands whoever owns the partition by now. */
export type Fenced<T> = Readonly<{ outcome: T; isFenced: boolean }>;

/** The append of the group failed, or nobody knows: nothing that was decided in it may be said (ARCHITECTURE, the loop, 3). */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError';
}

/** The session ended before the request was decided. */
export class NotDecidedError extends Error {
  override readonly name = 'NotDecidedError';
}

type Waiting = Readonly<{ tenant: string; fail: (error: Error) => void }> &
  (
    | Readonly<{ want: 'reserve'; ask: Ask; done: (fenced: Fenced<ReserveOutcome>) => void }>
    | Readonly<{ want: 'release' | 'expire'; reservationId: string; done: (fenced: Fenced<ReleaseOutcome>) => void }>
  );
/** Says what came of it, once the group's append is at a position; null: there was nothing to append. */
type Reply = (appended: number | null) => void;
/** `changes`: canonical JSON of each. */
type Group = {
  changes: string[];
  granted: { tenant: TenantFold; id: string }[];
  bytes: number;
  replies: Reply[];
  failures: ((error: Error) => void)[];
};

/** Each is decided within the block point; one of so many is looked at again, once it is in. */
const GRANTS_PER_CHECK = 64;

/** An event beyond this would not fit a bus message with others. */
const MAX_BYTES = 192 * 1024;

export type DeskParts = Readonly<{
  memory: FoldMemory;
  tables: Pick<ProjectionTables, 'holds'>;
  ledger: Pick<Ledger, 'appendHolds'>;
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
 * Decides reservations, releases and expiries on what is folded and what is decided beside it, in groups: all that waits shares one append
 * of `HoldsChanged`, and is answered once that is durable; meanwhile the next group gathers.
 */
export class HoldDesk {
  #queue: Waiting[] = [];
  #running = false;
  #granted = 0;
  #revision: number;
  /** Position of the latest append. */
  #appended = 0;
  #over: Error | null = null;

  constructor(private readonly parts: DeskParts) {
    this.#revision = parts.revision;
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
    this.#end(new NotDecidedError('the session ended'));
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
        await this.#group(batch);
      } catch (error) {
        // Half a group may be decided: as if its append had failed. Who was answered already does not hear this.
        for (const { fail } of batch) fail(new OutcomeUnknownError('a group could not be decided', { cause: error }));
        this.#fail(asError(error));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#running = false;
  }

  async #group(batch: readonly Waiting[]): Promise<void> {
    const { memory } = this.parts;
    memory.lookups += 1;
    let group: Group;
    let known: ReadonlyMap<string, Hold>;
    try {
      const asked = this.#unknownIds(batch);
      if (this.#lacking(batch)) await this.#load(batch);
      known =
        asked.length === 0 ? NONE : new Map((await this.parts.tables.holds(asked)).map((hold) => [keyOf(hold.tenant, hold.id), hold]));
    } catch (error) {
      // Nothing of it was decided: the tables did not answer.
      for (const { fail } of batch) fail(asError(error));
      memory.lookups -= 1;
      return;
    }
    try {
      if (this.#over !== null) {
        // The session ended while the tables were asked: memory may be in the middle of an event, and nobody would hear what is put back.
        for (const { fail } of batch) fail(this.#over);
        return;
      }
      group = this.#decide(batch, known);
    } finally {
      memory.lookups -= 1;
    }
    const appended = group.changes.length === 0 ? null : await this.#append(group);
    if (appended === 'failed') return;
    for (const reply of group.replies) reply(appended);
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
      const found = this.#gather(tenant, waiting.ask).found;
      if (scope !== null && found === 'all') there.set(tenant, seen.add(scope));
      return found === 'some';
    });
  }

  /** By turns with the fold, as a check that lacks something. */
  #load(batch: readonly Waiting[]): Promise<void> {
    const { memory, turns, makeRoom } = this.parts;
    return turns.take(async () => {
      makeRoom();
      for (const waiting of batch) {
        const tenant = await memory.tenant(waiting.tenant);
        if (waiting.want !== 'reserve') continue;
        for (let found = this.#gather(tenant, waiting.ask); found.found === 'some'; found = this.#gather(tenant, waiting.ask)) {
          await memory.load(found.missing);
        }
      }
    });
  }

  #gather(tenant: TenantFold, ask: Ask): Gathered {
    const now = this.parts.now();
    const question = questionOf(tenant, ask, now, this.parts.folded.position);
    return gatherStandings(tenant, question, now, this.parts.folded.position);
  }

  /** Without a pause between two decisions: each sees what the ones before it have taken. */
  #decide(batch: readonly Waiting[], known: ReadonlyMap<string, Hold>): Group {
    const group: Group = { changes: [], granted: [], bytes: 0, replies: [], failures: [] };
    const now = this.parts.now();
    for (const [index, waiting] of batch.entries()) {
      const tenant = this.parts.memory.known(waiting.tenant);
      const isFull = group.bytes > MAX_BYTES;
      if (tenant === undefined || isFull || !this.#decideOne(tenant, waiting, known, now, group)) {
        // What it needs was let go meanwhile, or the event is full: with the next group.
        if (isFull) {
          this.#queue.unshift(...batch.slice(index));
          break;
        }
        this.#queue.push(waiting);
      }
    }
    return group;
  }

  /** False: something is not in memory. */
  #decideOne(tenant: TenantFold, waiting: Waiting, known: ReadonlyMap<string, Hold>, now: EpochNs, group: Group): boolean {
    if (waiting.want !== 'reserve') {
      const outcome = this.#endHold(tenant, waiting.want, waiting.reservationId, known, now, group);
      answer(group, waiting, (appended) => this.#ended(outcome, appended));
      return true;
    }
    const { ask } = waiting;
    const repeated = this.#repeated(tenant, ask, known);
    if (repeated !== null) {
      answer(group, waiting, repeated);
      return true;
    }
    const { position } = this.parts.folded;
    const question = questionOf(tenant, ask, now, position);
    const gathered = gatherStandings(tenant, question, now, position);
    if (gathered.found !== 'all') return false;
    const { scene } = gathered;
    const decision = decideReserve(tenant, ask, scene, question, position);
    if (decision === 'counting') answer(group, waiting, () => ({ is: 'counting' }));
    else if ('unpriced' in decision) answer(group, waiting, () => ({ is: 'unpriced', units: decision.unpriced }));
    else if ('refused' in decision)
      answer(group, waiting, () => ({ is: 'refused', decision: decision.refused, scene, question, position }));
    else {
      const { grant, parts, taken, tightest } = decision.granted;
      tenant.undecided.add(grant, taken);
      this.#granted += 1;
      if (this.#granted % GRANTS_PER_CHECK === 0) this.parts.checked(this.#overBlockPoint(tenant, question, now));
      group.changes.push(grant.text);
      group.granted.push({ tenant, id: grant.reservationId });
      group.bytes += grant.text.length;
      answer(group, waiting, (appended) => ({ is: 'held', held: { parts, status: 'held', position: appended ?? 0, tightest } }));
    }
    return true;
  }

  /** Budgets that this grant has taken past their block point (PRODUCT J8): by what memory says once it has taken its room. */
  #overBlockPoint(tenant: TenantFold, question: Question, now: EpochNs): readonly string[] {
    const gathered = gatherStandings(tenant, question, now, this.parts.folded.position);
    if (gathered.found !== 'all') return [];
    return gathered.scene.standings
      .filter((standing) => blocks(standing, now) && (roomOf(standing) ?? 0n) < 0n)
      .map(
        ({ state, spend, reserved }) =>
          `${tenant.tenant} ${state.budgetId}: ${formatPicos(spend)} spent and ${formatPicos(reserved)} held are past the block point`,
      );
  }

  /** The same id again: the same hold, or no hold at all. null: it is new. */
  #repeated(tenant: TenantFold, ask: Ask, known: ReadonlyMap<string, Hold>): ((appended: number | null) => ReserveOutcome) | null {
    const { reservationId, bodyHash, isCallers } = ask;
    if (!isCallers) return null; // made for this request alone
    const undecided = tenant.undecided.get(reservationId);
    if (undecided !== undefined) {
      if (undecided.grant.bodyHash !== bodyHash) return () => ({ is: 'conflict' });
      const parts = partsOf(undecided.grant.wire);
      return (appended) => ({ is: 'held', held: { parts, status: 'held', position: undecided.position ?? appended ?? 0, tightest: null } });
    }
    const hold = tenant.holds.get(reservationId) ?? known.get(keyOf(tenant.tenant, reservationId));
    if (hold === undefined) return null;
    if (hold.grant?.bodyHash !== bodyHash) return () => ({ is: 'conflict' });
    const held = { parts: partsOf(hold.grant.wire), status: hold.status, position: hold.since, tightest: null };
    return () => ({ is: 'held', held });
  }

  /** Its room is free only once the fold has come to it: usage that settles it may be in the ledger already. */
  #endHold(
    tenant: TenantFold,
    want: 'release' | 'expire',
    reservationId: string,
    known: ReadonlyMap<string, Hold>,
    now: EpochNs,
    group: Group,
  ): ReleaseOutcome {
    const { position } = this.parts.folded;
    const hold = tenant.holds.get(reservationId) ?? known.get(keyOf(tenant.tenant, reservationId));
    const isOpen = hold === undefined ? tenant.undecided.get(reservationId) !== undefined : hold.isOpen;
    if (!isOpen) {
      const status = hold?.status ?? 'unknown';
      return { is: status === 'settled' || status === 'unknown' ? status : 'gone', position };
    }
    if (!tenant.undecided.ending.has(reservationId)) {
      tenant.undecided.ending.add(reservationId);
      const at = formatInstant(now);
      const change: HoldChange = { at, change: want === 'release' ? 'released' : 'expired', reservationId, tenant: tenant.tenant };
      const text = JSON.stringify(change);
      group.changes.push(text);
      group.bytes += text.length;
    }
    return { is: 'released', position };
  }

  /** Who waits for the position that a release answers finds it folded: where an earlier group said it, that is at the latest append. */
  #ended(outcome: ReleaseOutcome, appended: number | null): ReleaseOutcome {
    return outcome.is === 'released' ? { is: 'released', position: appended ?? this.#appended } : outcome;
  }

  /** The position of the append. */
  async #append(group: Group): Promise<number | 'failed'> {
    const { ledger, key } = this.parts;
    const id = derivedId('holds-changed', key.owner, String(key.partition), String(this.#revision + 1), String(key.epoch));
    const data = `{"changes":[${group.changes.join(',')}],"partition":${key.partition}}`;
    try {
      const { position, revision } = await ledger.appendHolds(key.partition, { id, data, expectedRevision: this.#revision });
      this.#revision = revision;
      this.#appended = position;
      for (const { tenant, id: granted } of group.granted) {
        const undecided = tenant.undecided.get(granted);
        if (undecided !== undefined) undecided.position = position;
      }
      return position;
    } catch (cause) {
      const error = new OutcomeUnknownError('the append of a group of decisions failed', { cause });
      for (const fail of group.failures) fail(error);
      this.#fail(error);
      return 'failed';
    }
  }

  #fail(error: Error): void {
    this.stop();
    this.parts.failed(error);
  }

  #end(error: Error): void {
    this.#over ??= error;
    const queue = this.#queue;
    this.#queue = [];
    for (const { fail } of queue) fail(error);
  }
}

const NONE: ReadonlyMap<string, Hold> = new Map();
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
const keyOf = (tenant: string, id: string): string => `${tenant}\u0000${id}`;

/** Where nothing else decides which budgets apply; else null. */
const onlyScope = ({ scopes, category, dimensions }: Ask): string | null =>
  scopes.length === 1 && category === undefined && dimensions === undefined ? (scopes[0] ?? null) : null;

const answer = <W extends Waiting>(
  group: Group,
  waiting: W,
  outcome: (appended: number | null) => W extends { want: 'reserve' } ? ReserveOutcome : ReleaseOutcome,
): void => {
  const done = waiting.done as (fenced: Fenced<ReturnType<typeof outcome>>) => void;
  group.replies.push((appended) => done({ outcome: outcome(appended), isFenced: appended !== null }));
  group.failures.push(waiting.fail);
};
