import type { Database, IdempotencyKeys } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { Once, SecretBox } from '@bursar/platform';
import type { DynamicModule } from '@nestjs/common';
import { Kysely } from 'kysely';
import { AlertsController } from './adapters/http/alerts.controller.js';
import { BudgetControlsController } from './adapters/http/budget-controls.controller.js';
import { BudgetUsageController } from './adapters/http/budget-usage.controller.js';
import { BudgetsController } from './adapters/http/budgets.controller.js';
import { BulkController } from './adapters/http/bulk.controller.js';
import { ChannelsController } from './adapters/http/channels.controller.js';
import { EnforcementController } from './adapters/http/enforcement.controller.js';
import { MinPosition } from './adapters/http/min-position.js';
import { NotificationTemplatesController } from './adapters/http/notification-templates.controller.js';
import { PeriodsController, PricesController } from './adapters/http/prices.controller.js';
import { ScopesController } from './adapters/http/scopes.controller.js';
import { TenantsController } from './adapters/http/tenants.controller.js';
import { Checkpoints } from './adapters/sql/checkpoints.js';
import { Holds } from './adapters/sql/holds.js';
import { BalanceStreams } from './adapters/store/decided.js';
import { FoundEvents } from './adapters/store/found-events.js';
import { Moments } from './adapters/store/moments.js';
import { Pasts } from './adapters/store/past.js';
import { Streams } from './adapters/store/streams.js';
import { UsageWalk } from './adapters/store/usage-walk.js';
import { AddUsageScope } from './features/add-usage-scope.js';
import { Alerts } from './features/alerts.js';
import { BudgetHistory } from './features/budget-history.js';
import { BudgetSpend } from './features/budget-spend.js';
import { BudgetUsage } from './features/budget-usage.js';
import { BulkBudgets } from './features/bulk-budgets.js';
import { ChangeBudget } from './features/change-budget.js';
import { ChangePrices } from './features/change-prices.js';
import { ChangeScopes } from './features/change-scopes.js';
import { ChannelSecrets } from './features/channel-secrets.js';
import { ChannelTargets } from './features/channel-targets.js';
import { Channels } from './features/channels.js';
import { CorrectPrices } from './features/correct-prices.js';
import { CreateBudget } from './features/create-budget.js';
import { Cursors } from './features/cursors.js';
import { DecidedBeside } from './features/decided-beside.js';
import { DecidedBudget } from './features/decided-budget.js';
import { DecidedScope } from './features/decided-scope.js';
import { DeleteBudget } from './features/delete-budget.js';
import { Explain } from './features/explain.js';
import { ExplainedSubjects } from './features/explained-subject.js';
import { ExportBudgets } from './features/export-budgets.js';
import { GetBudget } from './features/get-budget.js';
import { GetHierarchy } from './features/get-hierarchy.js';
import { GetPast } from './features/get-past.js';
import { ListBudgets } from './features/list-budgets.js';
import { ListPeriods } from './features/list-periods.js';
import { ListPrices } from './features/list-prices.js';
import { ListResets } from './features/list-resets.js';
import { ListScopes } from './features/list-scopes.js';
import { LongReads } from './features/long-reads.js';
import { MyBudget } from './features/my-budget.js';
import { NotificationTemplates } from './features/notification-templates.js';
import { OverrideBudget } from './features/override-budget.js';
import { OverridePermission } from './features/override-permission.js';
import { OwnerChecks } from './features/owner-checks.js';
import { PastBudgets } from './features/past-budgets.js';
import { PauseBudget } from './features/pause-budget.js';
import { PriceCorrectionDryRuns } from './features/price-correction-dry-run.js';
import { PriceCorrectionReports } from './features/price-correction-report.js';
import { RecordBudgetUsage } from './features/record-budget-usage.js';
import { RefreshCache } from './features/refresh-cache.js';
import { RefusalBehind } from './features/refusal-behind.js';
import { ResetBudget } from './features/reset-budget.js';
import { ScopeSpend } from './features/scope-spend.js';
import { SettingsOfTenant } from './features/settings-of-tenant.js';
import { Settled } from './features/settled.js';
import { BudgetTemplates } from './features/templates.js';
import { TenantBudget } from './features/tenant-budget.js';
import { Unheld } from './features/unheld.js';
import { UsageIntake } from './features/usage-intake.js';
import { UsageScan } from './features/usage-scan.js';
import { Installation } from './installation.js';

export type Infrastructure = Readonly<{
  store: EventStore;
  database: Kysely<Database>;
  keys: IdempotencyKeys;
  partitions: number;
  secret: string;
  intake: UsageIntake;
  checks: OwnerChecks;
  secrets: SecretBox;
  targets: ChannelTargets;
}>;

class AppModule {}

/** Wiring only: what was opened by the composition root, and the features on it. */
export const appModule = ({
  store,
  database,
  keys,
  partitions,
  secret,
  intake,
  checks,
  secrets,
  targets,
}: Infrastructure): DynamicModule => ({
  module: AppModule,
  controllers: [
    AlertsController,
    BudgetsController,
    BudgetControlsController,
    BudgetUsageController,
    BulkController,
    ScopesController,
    TenantsController,
    EnforcementController,
    NotificationTemplatesController,
    PricesController,
    PeriodsController,
    ChannelsController,
  ],
  providers: [
    { provide: EventStore, useValue: store },
    { provide: Kysely, useValue: database },
    { provide: Once, useValue: new Once(keys) },
    { provide: Installation, useValue: { partitions } },
    { provide: Cursors, useValue: new Cursors(secret) },
    { provide: UsageIntake, useValue: intake },
    { provide: OwnerChecks, useValue: checks },
    { provide: SecretBox, useValue: secrets },
    { provide: ChannelTargets, useValue: targets },
    Channels,
    ChannelSecrets,
    Alerts,
    Checkpoints,
    MinPosition,
    Streams,
    Pasts,
    BalanceStreams,
    Moments,
    GetPast,
    PastBudgets,
    FoundEvents,
    RefusalBehind,
    ExplainedSubjects,
    DecidedBeside,
    Explain,
    MyBudget,
    RecordBudgetUsage,
    AddUsageScope,
    BulkBudgets,
    ExportBudgets,
    BudgetTemplates,
    Holds,
    UsageWalk,
    UsageScan,
    BudgetSpend,
    BudgetUsage,
    ChangeBudget,
    ChangePrices,
    ChangeScopes,
    CreateBudget,
    DecidedBudget,
    DecidedScope,
    DeleteBudget,
    Unheld,
    GetBudget,
    GetHierarchy,
    ListBudgets,
    ListPeriods,
    ListPrices,
    PriceCorrectionDryRuns,
    PriceCorrectionReports,
    CorrectPrices,
    ListResets,
    BudgetHistory,
    RefreshCache,
    ListScopes,
    LongReads,
    NotificationTemplates,
    OverrideBudget,
    PauseBudget,
    ResetBudget,
    ScopeSpend,
    Settled,
    SettingsOfTenant,
    TenantBudget,
    OverridePermission,
  ],
});
