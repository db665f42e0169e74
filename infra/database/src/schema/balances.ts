import type { CrossingData } from '@bursar/contracts';
import type { Amount, Count, Instant, Json } from './column-types.js';

/** What budgets and scopes have spent, and what that crossed. */
export interface BalanceTables {
  'projection.scope_spend': ScopeSpendTable;
  'projection.balance': BalanceTable;
  'projection.late': LateTable;
  'projection.threshold': ThresholdTable;
  'projection.crossing': CrossingTable;
  'projection.rollup': RollupTable;
}

/** What a scope ever spent, descendants included, by currency: the sum of its rollups. */
interface ScopeSpendTable {
  tenant: string;
  scope: string;
  currency: string;
  spend: string;
  events: number;
  unpriced: number;
}

interface BalanceTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  period_end: Instant | null;
  spend: Amount;
  events: Count;
  failed_spend: Amount;
  failed_events: Count;
  waiting: Count;
  last_usage_at: Instant | null;
  position: Count;
  updated_at: Instant;
}

interface LateTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  partition: number;
  position: Count;
}

/** Also the breaker of `autoPause`, which no threshold is called. */
interface ThresholdTable {
  tenant: string;
  budget_id: string;
  period_start: Instant;
  threshold: string;
  crossed: boolean;
  episode: number;
}

interface CrossingTable {
  tenant: string;
  alert_id: string;
  budget_id: string;
  period_start: Instant;
  threshold: string;
  episode: number;
  data: Json<CrossingData>;
  /** Of the `ThresholdCrossed` itself; null until it is folded. */
  position: Count | null;
  /** What orders crossings: the event whose fold decided them, and the place among those it caused. */
  cause_position: Count;
  cause_index: number;
  crossed_at: Instant;
  cleared_at: Instant | null;
}

interface RollupTable {
  tenant: string;
  scope: string;
  bucket: Instant;
  key: string;
  currency: string;
  spend: Amount;
  events: Count;
  unpriced: Count;
  input_tokens: Amount;
  output_tokens: Amount;
}
