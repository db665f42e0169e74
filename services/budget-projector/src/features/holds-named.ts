import { type Hold, tell } from '../domain/holds/hold.js';
import type { TenantHistory } from '../domain/tenant-history.js';
import type { ProjectionTables } from './projection-tables.js';

type Naming = Readonly<{ data: Readonly<{ reservationId?: string }> }>;

/**
 * The reservations that some usage events of a tenant name, as the tables have them: enough for whoever is behind what is committed, since what usage
 * settles is committed with it, and what was set aside left its hold as it was. Told to the charges right before they are made.
 */
export class HoldsNamed {
  private constructor(private readonly holds: ReadonlyMap<string, Hold>) {}

  /** None is read where nobody names one. */
  static async of(tables: Pick<ProjectionTables, 'holdsNamed'>, tenant: string, usages: readonly Naming[]): Promise<HoldsNamed> {
    const ids = new Set(usages.flatMap(({ data: { reservationId } }) => (reservationId === undefined ? [] : [reservationId])));
    if (ids.size === 0) return NOBODY;
    const found = await tables.holdsNamed(tenant, [...ids]);
    return new HoldsNamed(new Map(found.map((hold) => [hold.id, hold])));
  }

  /** No other read may come between this and the charge. */
  tell(history: Pick<TenantHistory, 'definitions'>, { data: { reservationId } }: Naming): void {
    const hold = reservationId === undefined ? undefined : this.holds.get(reservationId);
    if (hold !== undefined) tell(history, hold);
  }

  static readonly none = new HoldsNamed(new Map());
}

const NOBODY = HoldsNamed.none;
