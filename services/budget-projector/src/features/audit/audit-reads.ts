import type { EpochNs, ScopeRef } from '@bursar/contracts';

/** A scope's spend in one quarter hour, in picos of a currency ('' without a price). */
export type CellSum = Readonly<{ scope: ScopeRef; currency: string; picos: bigint }>;

/** The rollups of a tenant's quarter hour, and the position they are exactly the fold to, but for what was set aside. */
export type CellsAt = Readonly<{ position: number; cells: readonly CellSum[]; setAside: ReadonlySet<number> }>;

/** What an audit reads of the tables: each answer on one snapshot, and bounded. Answers name what is wrong, for the log. */
export abstract class AuditReads {
  abstract cells(partition: number, tenant: string, bucket: EpochNs): Promise<CellsAt>;

  /** How many definitions the tenant has: what it takes to load them. */
  abstract definitions(tenant: string): Promise<number>;

  /** Of a sample of balances: those below zero in anything that cannot be. */
  abstract impossibleBalances(): Promise<readonly string[]>;

  /** Of a sample of budgets: those whose reserved amount is below zero, or not what their open holds come to. */
  abstract unbalancedHolds(): Promise<readonly string[]>;
}
