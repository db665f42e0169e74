import { type EpochNs, formatInstant, formatPicos, type HoldChange, type HoldGranted } from '@bursar/contracts';
import { type Gathered, gatherStandings } from '../domain/check/gather-standings.js';
import { blocks, type Question, roomOf } from '../domain/check/standing.js';
import { type Ask, questionOf } from '../domain/holds/ask.js';
import { decideReserve } from '../domain/holds/decide-reserve.js';
import { partsOf } from '../domain/holds/grant-text.js';
import type { Hold } from '../domain/holds/hold.js';
import type { TenantFold } from '../domain/tenant-fold.js';
import type { HoldGroup, Waiting } from './hold-group.js';
import type { ReleaseOutcome } from './hold-outcomes.js';
import type { Watermark } from './watermark.js';

/** Each is decided within the block point; one of so many is looked at again, once it is in. */
const GRANTS_PER_CHECK = 64;

/** Holds that the tables have of the ids asked for and memory does not, by {@link keyOf}. */
export type KnownHolds = ReadonlyMap<string, Hold>;
export const keyOf = (tenant: string, id: string): string => `${tenant}\u0000${id}`;

/** Decides one request after another on what is folded and what is decided beside it: each sees what the ones before it have taken. */
export class HoldDecider {
  #granted = 0;

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
    const { position } = this.folded;
    const question = questionOf(tenant, ask, now, position);
    const gathered = gatherStandings(tenant, question, now, position);
    if (gathered.found !== 'all') return false;
    if (repeated !== null) {
      const { wire, status, positionAt } = repeated;
      const tightest = gathered.scene.standings.find(({ state }) => state.budgetId === wire.tightest?.budgetId) ?? null;
      const parts = partsOf(wire);
      group.answer(waiting, (appended) => ({ is: 'held', held: { parts, status, position: positionAt(appended), tightest } }));
      return true;
    }
    const { scene } = gathered;
    const decision = decideReserve(tenant, ask, scene, question, position);
    if (decision === 'counting') group.answer(waiting, () => ({ is: 'counting' }));
    else if ('unpriced' in decision) group.answer(waiting, () => ({ is: 'unpriced', units: decision.unpriced }));
    else if ('refused' in decision) {
      group.answer(waiting, () => ({ is: 'refused', decision: decision.refused, scene, question, position }));
    } else {
      const { grant, parts, taken, tightest } = decision.granted;
      group.grant(tenant.tenant, tenant.undecided.add(grant, taken));
      this.#granted += 1;
      if (this.#granted % GRANTS_PER_CHECK === 0) this.checked(this.#overBlockPoint(tenant, question, now));
      group.answer(waiting, (appended) => ({ is: 'held', held: { parts, status: 'held', position: appended ?? 0, tightest } }));
    }
    return true;
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
    if (!isOpen) {
      const status = hold?.status ?? 'unknown';
      return { is: status === 'settled' || status === 'unknown' ? status : 'gone', position };
    }
    if (!tenant.undecided.ending.has(reservationId)) {
      tenant.undecided.ending.add(reservationId);
      const at = formatInstant(now);
      const change: HoldChange = { at, change: want === 'release' ? 'released' : 'expired', reservationId, tenant: tenant.tenant };
      group.change(JSON.stringify(change), change);
    }
    return { is: 'released', position };
  }
}

/** `positionAt`: of its grant, known at the latest once the group that says so is in. */
type Repeated = Readonly<{ wire: HoldGranted; status: Hold['status']; positionAt: (appended: number | null) => number }>;

/** The same id again: the same hold, or no hold at all. null: it is new. */
const repeatedOf = (tenant: TenantFold, ask: Ask, known: KnownHolds): Repeated | 'conflict' | null => {
  const { reservationId, bodyHash, isCallers } = ask;
  if (!isCallers) return null; // made for this request alone
  const undecided = tenant.undecided.get(reservationId);
  if (undecided !== undefined) {
    if (undecided.grant.bodyHash !== bodyHash) return 'conflict';
    return { wire: undecided.grant.wire, status: 'held', positionAt: (appended) => undecided.position ?? appended ?? 0 };
  }
  const hold = tenant.holds.get(reservationId) ?? known.get(keyOf(tenant.tenant, reservationId));
  if (hold === undefined) return null;
  if (hold.grant?.bodyHash !== bodyHash) return 'conflict';
  return { wire: hold.grant.wire, status: hold.status, positionAt: () => hold.since };
};
