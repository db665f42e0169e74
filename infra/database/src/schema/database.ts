import type { AlertTables } from './alerts.js';
import type { BalanceTables } from './balances.js';
import type { CorrectionTables } from './corrections.js';
import type { DefinitionTables } from './definitions.js';
import type { DeliveryTables } from './deliveries.js';
import type { HoldTables } from './holds.js';
import type { IdempotencyTables } from './idempotency.js';
import type { ProcessTables } from './processes.js';
import type { SchedulerTables } from './scheduler.js';

/** Every table that the migrations make, by its full name. Kept in step with `migrations/`. */
export interface Database
  extends AlertTables,
    BalanceTables,
    CorrectionTables,
    DefinitionTables,
    DeliveryTables,
    HoldTables,
    IdempotencyTables,
    ProcessTables,
    SchedulerTables {}
