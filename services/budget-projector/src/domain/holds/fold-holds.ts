import { type EventOf, type HoldChange, parseInstant, type UsageRecordedEvent } from '@bursar/contracts';
import { type Charge, convertCharge } from '@bursar/contracts/folds';
import type { Changes } from '../changes.js';
import type { TenantFold } from '../tenant-fold.js';
import type { Waiting } from '../waiting.js';
import { type Grant, Hold } from './hold.js';
import { Lot } from './lot.js';
import { free, hold } from './place-holds.js';
import type { SettlementFlag } from './settlement-flag.js';

export type HoldsChangedEvent = EventOf<'HoldsChanged'>;
/** Reservations that an event grants on the same terms; `grants` are read only where this process has not decided them. */
export type Granting = Readonly<{ change: 'granted'; tenant: string; grants: () => readonly Grant[] }>;
export type Ended = Exclude<HoldChange, { change: 'granted' }>;

/**
 * Grants, all on the same terms, at their position, but for those whose id stands for something already (`known`), which then stays: usage named it first.
 * Answers the ids of those that are held now.
 */
export const foldGranted = (
  tenant: TenantFold,
  grants: readonly Grant[],
  known: ReadonlySet<string>,
  { position }: HoldsChangedEvent,
  changes: Changes,
): readonly string[] => {
  const [first] = grants;
  if (first === undefined) return [];
  tenant.undecided.take(grants);
  const lot = new Lot(tenant.tenant, first.terms, position);
  const opened: string[] = [];
  for (const { reservationId } of grants) {
    if (tenant.holds.sinceOf(reservationId) === position) continue; // once by this event already
    if (known.has(reservationId)) {
      grantedAgain(tenant.holds.get(reservationId), changes);
      continue;
    }
    tenant.holds.open(reservationId, lot);
    opened.push(reservationId);
  }
  if (opened.length === 0) return opened;
  changes.opened.push(lot);
  hold(tenant, first.terms, opened.length, changes);
  return opened;
};

const grantedAgain = (one: Hold | undefined, changes: Changes): void => {
  if (one?.isOpen !== true) return;
  one.isGrantedAgain = true;
  changes.holds.add(one);
};

/**
 * A release or an expiry: of a hold that is open still, no expiry before its time, and no release once usage has settled it. Answers the hold that ended.
 */
export const foldEnded = (tenant: TenantFold, ended: Ended, event: HoldsChangedEvent, changes: Changes): Hold | null => {
  const { reservationId, change } = ended;
  tenant.undecided.ending.delete(reservationId);
  const one = tenant.holds.get(reservationId);
  if (one?.isOpen !== true || one.grant === null) return null;
  if (change === 'expired' && parseInstant(event.recordedAt) < one.grant.terms.expiresAt) return null;
  if (change === 'released' && one.settledBy !== null) return null;
  close(tenant, one, one.settledBy === null ? change : 'settled', event, changes);
  return one;
};

/**
 * Usage that names a reservation, at its own position: in the step that counts its amount an open hold is released, and not before (RELIABILITY F23). As
 * long as it waits for its price or a rate the hold keeps its room, until its time is over at the latest (ADR 0047). Answers the hold that it closed.
 * `known`: what the id stands for, from memory or the tables; `waiting`: for what it waits.
 */
export const foldSettlement = (
  tenant: TenantFold,
  usage: UsageRecordedEvent,
  charged: Charge,
  waiting: Waiting | undefined,
  known: Hold | null,
  changes: Changes,
): Hold | null => {
  const reservationId = usage.data.reservationId ?? '';
  const undecided = tenant.undecided.get(reservationId);
  if (undecided !== undefined) undecided.overtaken = true;
  const one = known ?? new Hold(tenant.tenant, reservationId, null, usage.position);
  tenant.holds.set(one);
  const wasOpen = one.isOpen;
  const flags = flagsOf(one, usage);
  if (one.grant !== null && one.settledBy === null) {
    one.settledBy = usage.id;
    if (!wasOpen) one.status = 'settled';
    else if (!isAwaited(one, waiting)) close(tenant, one, 'settled', usage, changes);
    flags.push(...compare(tenant, one, charged, usage, usage.position));
  }
  note(one, usage.position, usage.position, flags, changes);
  return wasOpen && !one.isOpen ? one : null;
};

/** The usage that settled the hold waits no longer, or not where it holds: its room is free. Answers the hold if this closed it. */
export const settleAwaited = (
  tenant: TenantFold,
  one: Hold,
  stillWaiting: Waiting | undefined,
  cause: Readonly<{ position: number; recordedAt: string }>,
  changes: Changes,
): Hold | null => {
  if (!one.isOpen || one.settledBy === null || isAwaited(one, stillWaiting)) return null;
  close(tenant, one, 'settled', cause, changes);
  return one;
};

/** Does a budget in which it holds wait for what the usage comes to there? */
const isAwaited = ({ grant }: Hold, waiting: Waiting | undefined): boolean => {
  if (waiting === undefined) return false;
  return waiting.reason === 'price' || grant?.terms.amounts.some(({ budgetId }) => waiting.budgetIds.includes(budgetId)) === true;
};

/** The usage that settled the hold has its price now: what it came to can be compared. */
export const settlePriced = (
  tenant: TenantFold,
  one: Hold,
  usage: UsageRecordedEvent,
  charged: Charge,
  cause: Readonly<{ position: number }>,
  changes: Changes,
): void => {
  if (one.settledBy !== usage.id || one.actual !== null) return;
  const flags = compare(tenant, one, charged, usage, cause.position);
  const before = flagsAtSettlement(one, usage);
  note(one, usage.position, cause.position, [...before, ...flags], changes);
};

/** In time iff it was recorded before the hold's end, whether or not that has been said by then. */
const flagsOf = (one: Hold, usage: UsageRecordedEvent): SettlementFlag[] => {
  if (one.grant === null) return ['UnknownReservation'];
  if (one.settledBy !== null) return ['SettledTwice'];
  if (one.status === 'released') return ['SettledAfterRelease'];
  return flagsAtSettlement(one, usage);
};

const flagsAtSettlement = (one: Hold, usage: UsageRecordedEvent): SettlementFlag[] => {
  if (one.flags.includes('SettledAfterRelease')) return ['SettledAfterRelease'];
  return one.grant !== null && parseInstant(usage.recordedAt) >= one.grant.terms.expiresAt ? ['SettledAfterExpiry'] : [];
};

/** In the hold's own currency, at its rate. */
const compare = (
  tenant: TenantFold,
  one: Hold,
  charged: Charge,
  usage: UsageRecordedEvent,
  position: number,
): readonly SettlementFlag[] => {
  if (one.grant === null || charged.cost === null) return [];
  const actual = convertCharge(tenant.history.definitions, charged.cost, one.grant.terms.currency, charged, usage, position);
  if (actual === 'rate_missing') return [];
  one.actual = actual;
  return actual > one.grant.terms.amount ? ['SettledOverReservation'] : [];
};

/** @param at position of the usage; @param by of the event that made it known */
const note = (one: Hold, at: number, by: number, flags: readonly SettlementFlag[], changes: Changes): void => {
  one.flag(flags);
  one.position = by;
  changes.holds.add(one);
  changes.settlements.set(`${one.tenant} ${at}`, { tenant: one.tenant, position: at, reservationId: one.id, flags });
};

const close = (
  tenant: TenantFold,
  one: Hold,
  status: 'settled' | 'released' | 'expired',
  event: Readonly<{ position: number; recordedAt: string }>,
  changes: Changes,
): void => {
  free(tenant, one, changes);
  one.status = status;
  one.end = { at: event.recordedAt, position: event.position };
  one.position = event.position;
  changes.holds.add(one);
};
