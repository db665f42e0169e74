import { type EpochNs, formatInstant, formatPicos, NS_PER_SECOND } from '@bursar/contracts';
import { type Gathered, gatherStandings } from '../domain/check/gather-standings.js';
import { blocks, type Question, roomOf } from '../domain/check/standing.js';
import { Alike } from '../domain/holds/alike.js';
import { type Ask, questionOf } from '../domain/holds/ask.js';
import { decideReserve, type Granted } from '../domain/holds/decide-reserve.js';
import type { Ended } from '../domain/holds/fold-holds.js';
import { partsOf } from '../domain/holds/grant-text.js';
import type { Grant, Hold } from '../domain/holds/hold.js';
import { leftTexts } from '../domain/holds/left.js';
import type { TenantFold } from '../domain/tenant-fold.js';
import type { HoldGroup, Waiting } from './hold-group.js';
import type { ReleaseOutcome } from './hold-outcomes.js';
import type { Watermark } from './watermark.js';

/** Each is decided within the block point; one of so many is looked at again, once it is in, and the first after so long. */
const GRANTS_PER_CHECK = 64;
const CHECK_EVERY_NS = NS_PER_SECOND;

/** Holds that the tables have of the ids asked for and memory does not, by {@link keyOf}. */
export type KnownHolds = ReadonlyMap<string, Hold>;
export const keyOf = (tenant: string, id: string): string => `${tenant}\u0000${id}`;

/** Decides one request after another on what is folded and what is decided beside it: each sees what the ones before it have taken. */
export class HoldDecider {
  #granted = 0;
  #checkedAt: EpochNs = 0n;
  #alike: Alike | null = null;

  constructor(
    private readonly folded: Watermark,
    private readonly now: () => EpochNs,
    /** Of a sample of grants: what they broke, which is to be nothing. */
    private readonly checked: (violations: readonly string[]) => void,
    /** Position of the latest append of decisions. */
    private readonly appended: () => number,
  ) {}

  gather(tenant: TenantFold, ask: Ask): Gathered {
    const now = this.now();
    const { position } = this.folded;
    return gatherStandings(tenant, questionOf(tenant, ask, now, position), now, position);
  }

  /** Decisions at one moment follow, without a pause. */
  begin(): void {
    this.#alike = null;
  }

  /** Into the group. False: something is not in memory. */
  decide(tenant: TenantFold, waiting: Waiting, known: KnownHolds, now: EpochNs, group: HoldGroup): boolean {
    if (waiting.want === 'reserve') return this.#reserve(tenant, waiting, known, now, group);
    const outcome = this.#end(tenant, waiting.want, waiting.reservationId, known, now, group);
    // Who waits for the position that a release answers finds it folded: where an earlier group said it, that is at the latest append.
    group.answer(waiting, (appended) => (outcome.is === 'released' ? { is: 'released', position: appended ?? this.appended() } : outcome));
    return true;
  }

  #reserve(tenant: TenantFold, waiting: Waiting & { want: 'reserve' }, known: KnownHolds, now: EpochNs, group: HoldGroup): boolean {
    const { ask } = waiting;
    const repeated = repeatedOf(tenant, ask, known);
    if (repeated === 'conflict') {
      group.answer(waiting, () => ({ is: 'conflict' }));
      return true;
    }
    const alike = repeated === null ? (this.#alike?.next(tenant, ask) ?? null) : null;
    if (alike !== null) {
      this.#grant(tenant, waiting, alike, now, group);
      return true;
    }
    const { position } = this.folded;
    const question = questionOf(tenant, ask, now, position);
    const gathered = gatherStandings(tenant, question, now, position);
    if (gathered.found !== 'all') return false;
    const { scene } = gathered;
    if (repeated !== null) {
      const { grant, status, positionAt } = repeated;
      const { reservationId, terms } = grant;
      const left = grant.left === null ? null : leftTexts(grant.left);
      const tightest = scene.standings.find(({ state }) => state.budgetId === terms.tightest) ?? null;
      const held = { reservationId, parts: partsOf(terms.wire), left, status, tightest, isNew: false };
      group.answer(waiting, (appended) => ({ is: 'held', held: { ...held, position: positionAt(appended) } }));
      return true;
    }
    const decision = decideReserve(tenant, ask, scene, question, position);
    if (decision === 'counting') group.answer(waiting, () => ({ is: 'counting' }));
    else if ('unpriced' in decision) {
      const { unpriced: units, deciding } = decision;
      group.answer(waiting, () => ({ is: 'unpriced', units, deciding, scene, question, position }));
    } else if ('refused' in decision) {
      group.answer(waiting, () => ({ is: 'refused', decision: decision.refused, scene, question, position }));
    } else {
      this.#alike = Alike.to(tenant, scene, decision.granted);
      this.#grant(tenant, waiting, decision.granted, now, group);
    }
    return true;
  }

  #grant(tenant: TenantFold, waiting: Waiting & { want: 'reserve' }, granted: Granted, now: EpochNs, group: HoldGroup): void {
    const { grant, parts, taken, tightest } = granted;
    const { reservationId } = grant;
    const left = grant.left === null ? null : leftTexts(grant.left);
    group.grant(tenant.tenant, tenant.undecided.add(grant, taken), left);
    this.#granted += 1;
    if (this.#granted % GRANTS_PER_CHECK === 0 || now - this.#checkedAt >= CHECK_EVERY_NS) {
      this.#checkedAt = now;
      this.checked(this.#overBlockPoint(tenant, questionOf(tenant, waiting.ask, now, this.folded.position), now));
    }
    group.answer(waiting, (appended) => ({
      is: 'held',
      held: { reservationId, parts, left, status: 'held', position: appended ?? 0, tightest, isNew: true },
    }));
  }

  /** Budgets that this grant has taken past their block point (PRODUCT J8): by what memory says once it has taken its room. */
  #overBlockPoint(tenant: TenantFold, question: Question, now: EpochNs): readonly string[] {
    const gathered = gatherStandings(tenant, question, now, this.folded.position);
    if (gathered.found !== 'all') return [];
    return gathered.scene.standings
      .filter((standing) => blocks(standing, now) && (roomOf(standing) ?? 0n) < 0n)
      .map(
        ({ state, spend, reserved }) =>
          `${tenant.tenant} ${state.budgetId}: ${formatPicos(spend)} spent and ${formatPicos(reserved)} held are past the block point`,
      );
  }

  /** Its room is free only once the fold has come to it: usage that settles it may be in the ledger already. */
  #end(
    tenant: TenantFold,
    want: 'release' | 'expire',
    reservationId: string,
    known: KnownHolds,
    now: EpochNs,
    group: HoldGroup,
  ): ReleaseOutcome {
    const { position } = this.folded;
    const hold = tenant.holds.get(reservationId) ?? known.get(keyOf(tenant.tenant, reservationId));
    const isOpen = hold === undefined ? tenant.undecided.get(reservationId) !== undefined : hold.isOpen;
    // Settled by usage that waits for what it costs: it holds until then, or until its time is over.
    if (want === 'release' && hold?.settledBy != null) return { is: 'settled', position };
    if (!isOpen) {
      const status = hold?.status ?? 'unknown';
      return { is: status === 'settled' || status === 'unknown' ? status : 'gone', position };
    }
    if (!tenant.undecided.ending.has(reservationId)) {
      tenant.undecided.ending.add(reservationId);
      const at = formatInstant(now);
      const change: Ended = { at, change: want === 'release' ? 'released' : 'expired', reservationId, tenant: tenant.tenant };
      group.end(JSON.stringify(change), change);
      this.#alike = null; // the event says in order what was decided
    }
    return { is: 'released', position };
  }
}

/** `positionAt`: of its grant, known at the latest once the group that says so is in. */
type Repeated = Readonly<{ grant: Grant; status: Hold['status']; positionAt: (appended: number | null) => number }>;

/** The same id again: the same hold, or no hold at all. null: it is new. */
const repeatedOf = (tenant: TenantFold, ask: Ask, known: KnownHolds): Repeated | 'conflict' | null => {
  const { reservationId, bodyHash, isCallers } = ask;
  if (!isCallers) return null; // made for this request alone
  const undecided = tenant.undecided.get(reservationId);
  if (undecided !== undefined) {
    if (undecided.grant.terms.bodyHash !== bodyHash) return 'conflict';
    return { grant: undecided.grant, status: 'held', positionAt: (appended) => undecided.position ?? appended ?? 0 };
  }
  const hold = tenant.holds.get(reservationId) ?? known.get(keyOf(tenant.tenant, reservationId));
  if (hold === undefined) return null;
  if (hold.grant?.terms.bodyHash !== bodyHash) return 'conflict';
  return { grant: hold.grant, status: hold.status, positionAt: () => hold.since };
};
