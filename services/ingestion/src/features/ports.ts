import { type EpochNs, formatInstant, type ScopeRef } from '@bursar/contracts';
import type { TenantDefinitions } from '@bursar/contracts/folds';
import type { Surroundings } from '../domain/unreserved-usage.js';
import type { UsageResult } from '../domain/usage-result.js';

/** The database's clock, without asking it each time. Ages are judged by it, never by this machine's. */
export abstract class LedgerClock {
  abstract now(): EpochNs;
}

/** One instant for all events of a request. */
export const nowBy = (clock: LedgerClock): Readonly<{ now: EpochNs; nowText: string }> => {
  const now = clock.now();
  return { now, nowText: formatInstant(now) };
};

/** Told what became of the events of each request. */
export abstract class UsageMeter {
  abstract count(via: 'http' | 'nats', results: readonly UsageResult[]): void;
}

/** The price lists and settings of a tenant as of now: what was answered to a command is in what this answers. */
export abstract class PriceLists {
  abstract of(tenant: string): Promise<TenantDefinitions>;
}

/** What the dry run shows beside a cost: everything a tenant has defined, as far as the projection has folded it. */
export abstract class TenantBook {
  abstract load(tenant: string): Promise<TenantDefinitions>;
}

/** Asked only for tenants that refuse unreserved usage. What was answered to a command is in what this answers, unless the projection is behind. */
export abstract class BlockingBudgets {
  abstract around(tenant: string, scopes: readonly ScopeRef[]): Promise<Surroundings>;
}
