import type { Kysely } from 'kysely';
import { up as projections } from './migrations/0001_projections.js';
import { up as idempotencyLease } from './migrations/0002_idempotency_lease.js';
import { up as crossingsWhenDecided } from './migrations/0003_crossings_when_decided.js';
import { up as leases } from './migrations/0004_leases.js';
import { up as relayMarks } from './migrations/0005_relay_marks.js';
import { up as budgetControls } from './migrations/0006_budget_controls.js';
import { up as voidedUsage } from './migrations/0007_voided_usage.js';
import { up as budgetTerms } from './migrations/0008_budget_terms.js';
import { up as replicaUrl } from './migrations/0009_replica_url.js';
import { up as leasesByConsumer } from './migrations/0010_leases_by_consumer.js';
import { up as usageCorrections } from './migrations/0011_usage_corrections.js';
import { up as treeReads } from './migrations/0012_tree_reads.js';
import { up as holds } from './migrations/0013_holds.js';
import { up as lateBalances } from './migrations/0015_late_balances.js';
import { up as scheduler } from './migrations/0016_scheduler.js';
import { up as alerting } from './migrations/0017_alerting.js';
import { up as schedulerShares } from './migrations/0018_scheduler_shares.js';
import { up as timeZoneData } from './migrations/0019_time_zone_data.js';
import { up as deliveries } from './migrations/0021_deliveries.js';
import { up as readsByPage } from './migrations/0030_reads_by_page.js';
import { up as holdGroups } from './migrations/0031_hold_groups.js';
import { up as grantsOnTerms } from './migrations/0032_grants_on_terms.js';
import { up as holdsWithoutRows } from './migrations/0033_holds_without_rows.js';
import { up as grantsInTheLedger } from './migrations/0034_grants_in_the_ledger.js';

export type Migration = Readonly<{ name: string; up: (db: Kysely<unknown>) => Promise<void> }>;

/** In the order they run. Released ones never change; a change is a new one at the end. */
export const MIGRATIONS: readonly Migration[] = [
  { name: '0001_projections', up: projections },
  { name: '0002_idempotency_lease', up: idempotencyLease },
  { name: '0003_crossings_when_decided', up: crossingsWhenDecided },
  { name: '0004_leases', up: leases },
  { name: '0005_relay_marks', up: relayMarks },
  { name: '0006_budget_controls', up: budgetControls },
  { name: '0007_voided_usage', up: voidedUsage },
  { name: '0008_budget_terms', up: budgetTerms },
  { name: '0009_replica_url', up: replicaUrl },
  { name: '0010_leases_by_consumer', up: leasesByConsumer },
  { name: '0011_usage_corrections', up: usageCorrections },
  { name: '0012_tree_reads', up: treeReads },
  { name: '0013_holds', up: holds },
  { name: '0015_late_balances', up: lateBalances },
  { name: '0016_scheduler', up: scheduler },
  { name: '0017_alerting', up: alerting },
  { name: '0018_scheduler_shares', up: schedulerShares },
  { name: '0019_time_zone_data', up: timeZoneData },
  { name: '0021_deliveries', up: deliveries },
  { name: '0030_reads_by_page', up: readsByPage },
  { name: '0031_hold_groups', up: holdGroups },
  { name: '0032_grants_on_terms', up: grantsOnTerms },
  { name: '0033_holds_without_rows', up: holdsWithoutRows },
  { name: '0034_grants_in_the_ledger', up: grantsInTheLedger },
];
