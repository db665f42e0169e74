import type { LedgerEvent, UsageRecordedEvent } from '@bursar/contracts';
import type { CorrectingEvent } from '@bursar/contracts/folds';
import {
  type Ended,
  foldEnded,
  foldGranted,
  foldSettlement,
  type Granting,
  type HoldsChangedEvent,
  settleAwaited,
} from '../../domain/holds/fold-holds.js';
import { type Hold, readGrants, tell } from '../../domain/holds/hold.js';
import type { Terms } from '../../domain/holds/terms.js';
import type { Plan } from '../../domain/posting.js';
import type { TenantFold } from '../../domain/tenant-fold.js';
import type { Waiting } from '../../domain/waiting.js';
import type { OwnChanges } from '../own-changes.js';
import type { ProjectionTables } from '../projection-tables.js';
import type { OpenChanges } from './open-changes.js';

/** Told of holds as they are folded. */
export type HoldWatch = Readonly<{
  /** On the same terms, one or more. */
  opened: (tenant: string, terms: Terms, ids: readonly string[]) => void;
  closed: (hold: Hold) => void;
}>;

/** Folds grants, releases and expiries, and the settlement of usage that names a reservation. */
export class ReservationsFold {
  constructor(
    private readonly open: OpenChanges,
    private readonly watch: HoldWatch,
    private readonly own: OwnChanges,
    private readonly tables: Pick<ProjectionTables, 'settled'>,
  ) {}

  /** One by one: what takes room before it is folded, and what takes it then, change places at once. */
  async change(event: HoldsChangedEvent): Promise<void> {
    const { open } = this;
    for (const change of open.attempt(event, () => this.#changesOf(event)) ?? []) {
      const tenant = open.memory.known(change.tenant) ?? (await open.memory.tenant(change.tenant));
      open.now.tenants.add(change.tenant);
      if (change.change === 'granted') await this.#grant(tenant, change, event);
      else {
        const closed = open.attempt(event, () => foldEnded(tenant, change, event, open.now));
        if (closed !== null) this.#closed(tenant, closed);
      }
    }
  }

  async #grant(tenant: TenantFold, change: Granting, event: HoldsChangedEvent): Promise<void> {
    const { open } = this;
    const grants = open.attempt(event, change.grants) ?? [];
    const known = new Set<string>();
    for (const { reservationId } of grants) {
      // Who decided it looked the id up; only a fold that comes later, from the ledger alone, has to ask.
      const decided = tenant.undecided.get(reservationId);
      const isNew = decided !== undefined && !decided.overtaken && !tenant.holds.has(reservationId);
      if (!isNew && (await open.memory.hold(tenant, reservationId)) !== null) known.add(reservationId);
    }
    const opened = open.attempt(event, () => foldGranted(tenant, grants, known, event, open.now)) ?? [];
    const [first] = grants;
    if (first !== undefined && opened.length > 0) this.watch.opened(change.tenant, first.terms, opened);
  }

  #changesOf(event: HoldsChangedEvent): readonly (Granting | Ended)[] {
    const own = this.own.take(event.id);
    if (own !== undefined) return own.map((change) => (change.change === 'granted' ? { ...change, grants: () => change.grants } : change));
    return event.data.changes.map((change) =>
      change.change === 'granted' ? { change: change.change, tenant: change.tenant, grants: () => readGrants(change) } : change,
    );
  }

  /** Usage that names a reservation is charged as that: the charge is made right after this. */
  async tell(tenant: TenantFold, { data: { reservationId } }: Pick<UsageRecordedEvent, 'data'>): Promise<void> {
    if (reservationId === undefined) return;
    const hold = tenant.holds.get(reservationId) ?? (await this.open.memory.hold(tenant, reservationId));
    if (hold !== null) tell(tenant.history, hold);
  }

  /** The usage is counted, or waits: in the step that counts it the hold that it settles is gone. */
  settle(tenant: TenantFold, usage: UsageRecordedEvent, { charged, waiting }: Plan): void {
    const { reservationId } = usage.data;
    if (reservationId === undefined || charged === undefined) return;
    const closed = foldSettlement(tenant, usage, charged, waiting, tenant.holds.get(reservationId) ?? null, this.open.now);
    const named = tenant.holds.get(reservationId);
    if (named?.isOpen === false) this.open.memory.closed(tenant, named);
    if (closed !== null) this.watch.closed(closed);
  }

  /** What usage that settled this hold waited for is here, or was taken back. */
  settleAwaited(tenant: TenantFold, hold: Hold, { stillWaiting }: Plan, cause: LedgerEvent): void {
    const closed = settleAwaited(tenant, hold, stillWaiting, cause, this.open.now);
    if (closed !== null) this.#closed(tenant, closed);
  }

  /** Usage that waited, it may be, was voided, or its cost was said. */
  corrected(plan: Plan, event: CorrectingEvent): void {
    const { reservationId } = event.data.original.data;
    const tenant = this.open.memory.known(plan.tenant);
    if (reservationId === undefined || tenant === undefined) return;
    const hold = tenant.holds.get(reservationId);
    if (hold?.settledBy === event.data.eventId) this.settleAwaited(tenant, hold, plan, event);
  }

  /** Of usage that waited, by its position; where it waited for a rate, only what it settles. */
  async named(tenant: TenantFold, page: readonly Waiting[]): Promise<ReadonlyMap<number, Hold>> {
    const holds = new Map<number, Hold>();
    const rated = page.flatMap(({ reason, position }) => (reason === 'rate' ? [position] : []));
    const settled = rated.length === 0 ? NONE : await this.tables.settled(tenant.tenant, rated);
    for (const waiting of page) {
      const id = waiting.reason === 'price' ? waiting.event.data.reservationId : settled.get(waiting.position);
      const hold = id === undefined ? null : await this.open.memory.hold(tenant, id);
      if (hold !== null) holds.set(waiting.position, hold);
    }
    return holds;
  }

  #closed(tenant: TenantFold, hold: Hold): void {
    this.open.memory.closed(tenant, hold);
    this.watch.closed(hold);
  }
}

const NONE: ReadonlyMap<number, string> = new Map();
