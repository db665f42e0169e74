import type { LedgerBatch, LedgerContext } from '@bursar/bus/nest';
import { LedgerEvents } from '@bursar/bus/nest';
import { Controller } from '@nestjs/common';
import { RecordAlerts } from '../../features/record-alerts.js';
import { CONSUMER } from '../sql/sql-alert-tables.js';

/** The ledger, each partition for itself, to the one use case there is. */
@Controller()
export class LedgerController {
  constructor(private readonly alerts: RecordAlerts) {}

  @LedgerEvents(CONSUMER, { maxEvents: 1_000, pollMs: 500 })
  async record({ events, last }: LedgerBatch, { partition, signal }: LedgerContext): Promise<void> {
    await this.alerts.batch(partition, events, last, signal);
  }
}
