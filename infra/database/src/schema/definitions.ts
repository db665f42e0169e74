import type { BudgetDefinition } from '@bursar/contracts';
import type { BudgetControls, Terms } from '@bursar/contracts/folds';
import type { ColumnType, JSONColumnType } from 'kysely';
import type { Count, Instant, Json } from './column-types.js';

/** What tenants have defined: events, scopes and budgets. */
export interface DefinitionTables {
  'projection.definition_event': DefinitionEventTable;
  'projection.scope': ScopeTable;
  'projection.scope_edge': ScopeEdgeTable;
  'projection.scope_mention': ScopeMentionTable;
  'projection.budget': BudgetTable;
}

interface DefinitionEventTable {
  projection: string;
  tenant: string;
  position: Count;
  partition: number;
  stream: string;
  revision: Count;
  id: string;
  type: string;
  version: number;
  data: string;
  meta: string;
  recorded_at: Instant;
}

interface ScopeTable {
  tenant: string;
  scope: string;
  parents: string[];
  name: string | null;
  attributes: Json<Record<string, string>>;
  position: Count;
}

/** A registered scope under one of its parents; under the root when it has none. */
interface ScopeEdgeTable {
  tenant: string;
  parent: string;
  scope: string;
}

/** A scope that was ever spoken of: registered, or named by usage, a budget or an edge. */
interface ScopeMentionTable {
  tenant: string;
  scope: string;
  registered: boolean;
}

interface BudgetTable {
  tenant: string;
  budget_id: string;
  scope: string;
  name: string;
  period_kind: string;
  definition: Json<BudgetDefinition>;
  revision: Count;
  created_position: Count;
  created_at: Instant;
  created_by: string | null;
  updated_at: Instant;
  deleted: boolean;
  counted_position: Count | null;
  controls: JSONColumnType<BudgetControls, string | undefined, string>;
  terms: ColumnType<readonly Terms[], string | undefined, string>;
}
