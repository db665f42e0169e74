import { Bus } from '@bursar/bus';
import { type Database, IdempotencyKeys } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { Once } from '@bursar/platform';
import type { DynamicModule } from '@nestjs/common';
import type { Kysely } from 'kysely';
import { CorrectionsController } from './adapters/http/corrections.controller.js';
import { LitellmController } from './adapters/http/litellm.controller.js';
import { LitellmCredentials } from './adapters/http/litellm-caller.js';
import { UsageController } from './adapters/http/usage.controller.js';
import { DeadLetters } from './adapters/nats/dead-letters.js';
import { UsageIntake } from './adapters/nats/usage-intake.js';
import { UsageRecordResponder } from './adapters/nats/usage-record.js';
import { PrometheusMeter } from './adapters/prometheus-meter.js';
import { SqlBlockingBudgets } from './adapters/sql/sql-blocking-budgets.js';
import { DatabaseClock } from './adapters/store/database-clock.js';
import { ProjectedBook } from './adapters/store/projected-book.js';
import { TenantPrices } from './adapters/store/tenant-prices.js';
import { AgeWindow } from './domain/age-window.js';
import { AdjustUsage } from './features/adjust-usage.js';
import { DryRunUsage } from './features/dry-run-usage.js';
import { BlockingBudgets, LedgerClock, PriceLists, TenantBook, UsageMeter } from './features/ports.js';
import { ReceiveLitellmNotice } from './features/receive-litellm-notice.js';
import { RecordLitellmLogs } from './features/record-litellm-logs.js';
import { RecordUsage } from './features/record-usage.js';
import { RecordedUsages } from './features/recorded-usages.js';
import { RefuseUnreserved } from './features/refuse-unreserved.js';
import { VoidUsage } from './features/void-usage.js';

export type Infrastructure = Readonly<{
  store: EventStore;
  database: Kysely<Database>;
  clock: DatabaseClock;
  maxAgeSeconds: number;
  litellm: LitellmCredentials;
  /** null: an installation without NATS. */
  bus: Bus | null;
}>;

class AppModule {}

/** Wiring only: what was opened by the composition root, and the features on it. */
export const appModule = ({ store, database, clock, maxAgeSeconds, litellm, bus }: Infrastructure): DynamicModule => ({
  module: AppModule,
  controllers: [UsageController, CorrectionsController, LitellmController, ...(bus === null ? [] : [UsageIntake, UsageRecordResponder])],
  providers: [
    { provide: EventStore, useValue: store },
    { provide: LedgerClock, useValue: clock },
    { provide: PriceLists, useValue: new TenantPrices(store) },
    { provide: TenantBook, useValue: new ProjectedBook(database) },
    { provide: BlockingBudgets, useValue: new SqlBlockingBudgets(database) },
    { provide: AgeWindow, useValue: new AgeWindow(maxAgeSeconds) },
    { provide: Once, useValue: new Once(new IdempotencyKeys(database)) },
    { provide: UsageMeter, useClass: PrometheusMeter },
    { provide: LitellmCredentials, useValue: litellm },
    RecordUsage,
    RecordLitellmLogs,
    ReceiveLitellmNotice,
    DryRunUsage,
    RefuseUnreserved,
    RecordedUsages,
    VoidUsage,
    AdjustUsage,
    ...(bus === null ? [] : [{ provide: Bus, useValue: bus }, DeadLetters]),
  ],
});
