import type { DynamicModule } from '@nestjs/common';
import { LedgerController } from './adapters/bus/ledger.controller.js';
import { RecordAlerts } from './features/record-alerts.js';

class AppModule {}

/** Wiring only: what was opened by the composition root. */
export const appModule = (alerts: RecordAlerts): DynamicModule => ({
  module: AppModule,
  controllers: [LedgerController],
  providers: [{ provide: RecordAlerts, useValue: alerts }],
});
