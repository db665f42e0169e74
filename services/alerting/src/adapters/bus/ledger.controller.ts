import type { LedgerBatch, LedgerContext } from '@bursar/bus/nest';
import { LedgerEvents } from '@bursar/bus/nest';
import { Controller } from '@nestjs/common';
import { RecordAlerts } from '../../features/record-alerts.js';

/** The consumer's name, by which its checkpoints are asked for. */
export const CONSUMER = 'alerting';
export const HANDLING = { maxEvents: 1_000, pollMs: 500 };

@Controller()
export class LedgerController {
  constructor(private readonly alerts: RecordAlerts) {}

  @LedgerEvents(CONSUMER, HANDLING)
  async record({ events, last }: LedgerBatch, { partition }: LedgerContext): Promise<void> {
    await this.alerts.batch(partition, events, last);
  }
}
