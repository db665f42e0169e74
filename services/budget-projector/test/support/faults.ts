import { type LeaseKey, LeaseLostError } from '@bursar/leases';
import type { Emitted } from '../../src/domain/emitted.js';
import type { BreakdownBatch, CommitBatch } from '../../src/features/batches.js';
import { type Appended, type FollowOptions, type HoldsAppend, Ledger, type LedgerItem, type Taken } from '../../src/features/ledger.js';
import type { Fence, Projection, ProjectionTables } from '../../src/features/projection-tables.js';
import { ProjectorEvents } from '../../src/features/run-partition.js';

/** Where the projector may be made to fail. */
export type Crossing = 'before commit' | 'after commit' | 'before append' | 'after append' | 'breakdown';
export type Faults = (where: Crossing) => void;

export class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
}

/**
 * Real tables that fail when told to: before a transaction, or after it, as a lost reply does. Whoever takes a partition seizes its lease
 * first, so that every owner believes in itself.
 */
export const failingTables = (
  tables: ProjectionTables,
  fault: Faults,
  seizeLease: (lease: LeaseKey) => Promise<LeaseKey>,
): ProjectionTables =>
  new Proxy(tables, {
    get: (target, name) => {
      if (name === 'take') {
        const take = async (projection: Projection, lease: LeaseKey): Promise<Fence> => {
          try {
            return await target.take(projection, await seizeLease(lease));
          } catch (error) {
            if (error instanceof LeaseLostError) return take(projection, lease); // seized by another owner in between
            throw error;
          }
        };
        return take;
      }
      if (name === 'commit') {
        return async (fence: Fence, batch: CommitBatch): Promise<Fence> => {
          fault('before commit');
          const next = await target.commit(fence, batch);
          fault('after commit');
          return next;
        };
      }
      if (name === 'commitBreakdown') {
        return async (fence: Fence, batch: BreakdownBatch): Promise<Fence> => {
          const next = await target.commitBreakdown(fence, batch);
          fault('breakdown');
          return next;
        };
      }
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });

export class FailingLedger extends Ledger {
  constructor(
    private readonly ledger: Ledger,
    private readonly fault: Faults,
    /** Awaited before anything is delivered. */
    private readonly before: () => Promise<void> = async () => {},
  ) {
    super();
  }
  get partitions(): number {
    return this.ledger.partitions;
  }
  follow(options: FollowOptions, handler: (items: readonly LedgerItem[], alive: () => void) => Promise<void>): Promise<void> {
    return this.ledger.follow(options, async (items, alive) => {
      await this.before();
      await handler(items, alive);
    });
  }
  read(partition: number, after: number, limit: number): Promise<readonly LedgerItem[]> {
    return this.ledger.read(partition, after, limit);
  }
  head(partition: number): Promise<number> {
    return this.ledger.head(partition);
  }
  firstUsage(tenant: string): Promise<number | null> {
    return this.ledger.firstUsage(tenant);
  }
  usage(tenant: string, fromRevision: number, limit: number): Promise<readonly LedgerItem[]> {
    return this.ledger.usage(tenant, fromRevision, limit);
  }
  takePartition(partition: number, taken: Taken): Promise<number> {
    return this.ledger.takePartition(partition, taken);
  }
  settledHead(partition: number): Promise<number> {
    return this.ledger.settledHead(partition);
  }
  async appendHolds(partition: number, holds: HoldsAppend): Promise<Appended> {
    this.fault('before append');
    const appended = await this.ledger.appendHolds(partition, holds);
    this.fault('after append');
    return appended;
  }
  async append(partition: number, stream: string, events: readonly Emitted[]): Promise<void> {
    this.fault('before append');
    await this.ledger.append(partition, stream, events);
    this.fault('after append');
  }
}

/** Remembers what the loops said. */
export class Heard extends ProjectorEvents {
  readonly failures: unknown[] = [];
  readonly halts: Error[] = [];
  quarantine = 0;
  commits = 0;
  overtakings = 0;
  taken(): void {}
  expired(): void {}
  checked(violations: readonly string[]): void {
    for (const violation of violations) this.failures.push(violation);
  }
  overtaken(): void {
    this.overtakings += 1;
  }
  committed(projection: Projection): void {
    if (projection === 'budget') this.commits += 1;
  }
  quarantined(_partition: number, events: number): void {
    this.quarantine += events;
  }
  failed(_partition: number, _what: string, error: unknown): void {
    this.failures.push(error);
  }
  halted(_partition: number, error: Error): void {
    this.halts.push(error);
  }
}
