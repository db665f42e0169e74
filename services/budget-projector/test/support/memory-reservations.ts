import { parseInstant } from '@bursar/contracts';
import type { Hold } from '../../src/domain/holds/hold.js';
import type { Settlement } from '../../src/domain/holds/settlement-flag.js';
import type { CommitBatch } from '../../src/features/batches.js';
import { type Expiring, type ReservedRow, readHold, type StoredHold } from '../../src/features/hold-rows.js';
import type { HoldKey } from '../../src/features/projection-tables.js';
import { key } from './memory-key.js';
import { grantedBy, toStored } from './stored-hold.js';

/** What the tables of PostgreSQL hold of reservations, and the ledger beside them, in maps. */
export class MemoryReservations {
  readonly holdRows = new Map<string, StoredHold>();
  /** Those of them that are more than a part of their group. */
  readonly ownRows = new Set<string>();
  readonly reservedRows = new Map<string, ReservedRow>();
  readonly settlements = new Map<string, Settlement>();

  settled(tenant: string, positions: readonly number[]): ReadonlyMap<number, string> {
    const rows = [...this.settlements.values()].filter((row) => row.tenant === tenant && positions.includes(row.position));
    const first = rows.filter(({ flags }) => !flags.includes('SettledTwice') && !flags.includes('UnknownReservation'));
    return new Map(first.map(({ position, reservationId }) => [position, reservationId]));
  }

  open(tenant: string): readonly Hold[] {
    return [...this.holdRows.values()].filter((row) => row.tenant === tenant && row.status === 'held').map(readHold);
  }

  under(keys: readonly HoldKey[]): readonly Hold[] {
    return keys.flatMap(({ tenant, reservationId }) => {
      const row = this.holdRows.get(key(tenant, reservationId));
      return row === undefined || !this.ownRows.has(key(tenant, reservationId)) ? [] : [readHold(row)];
    });
  }

  named(tenant: string, reservationIds: readonly string[]): readonly Hold[] {
    return reservationIds.flatMap((reservationId) => {
      const row = this.holdRows.get(key(tenant, reservationId));
      return row === undefined ? [] : [readHold(row)];
    });
  }

  expiring(): readonly Expiring[] {
    return [...this.holdRows.values()].flatMap(({ tenant, reservationId, status, granted }) =>
      status === 'held' && granted !== null ? [{ tenant, reservationId, expiresAt: parseInstant(granted.terms.expiresAt) }] : [],
    );
  }

  /** As a part of a commit. */
  write(batch: Pick<CommitBatch, 'holdGroups' | 'holds' | 'reserved' | 'settlements'>): void {
    for (const group of batch.holdGroups) {
      for (const row of grantedBy(group))
        if (!this.holdRows.has(key(row.tenant, row.reservationId))) this.holdRows.set(key(row.tenant, row.reservationId), row);
    }
    for (const row of batch.holds) {
      const at = key(row.tenant, row.reservationId);
      this.holdRows.set(at, toStored(row, this.holdRows.get(at)));
      this.ownRows.add(at);
    }
    for (const row of batch.reserved) {
      const id = key(row.tenant, row.budgetId, row.periodStart);
      if (row.reserved === '0') this.reservedRows.delete(id);
      else this.reservedRows.set(id, row);
    }
    for (const row of batch.settlements) this.settlements.set(key(row.tenant, row.position), row);
  }
}
