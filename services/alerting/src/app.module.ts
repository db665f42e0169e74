import type { DynamicModule, Provider } from '@nestjs/common';
import { LedgerController } from './adapters/bus/ledger.controller.js';
import { DeliveriesController } from './adapters/http/deliveries.controller.js';
import { RecordAlerts } from './features/record-alerts.js';

class AppModule {}

/** Wiring only: what was opened by the composition root. */
export const appModule = (alerts: RecordAlerts, delivery: readonly Provider[]): DynamicModule => ({
  module: AppModule,
  controllers: [LedgerController, DeliveriesController],
  providers: [{ provide: RecordAlerts, useValue: alerts }, ...delivery],
});
