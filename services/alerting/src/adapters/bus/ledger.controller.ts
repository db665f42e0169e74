import type { LedgerBatch, LedgerContext } from '@bursar/bus/nest';
import { LedgerEvents } from '@bursar/bus/nest';
import { Controller } from '@nestjs/common';
import { RecordAlerts } from '../../features/record-alerts.js';
import { CONSUMER } from '../sql/sql-alert-tables.js';

/** Most of the ledger, and of no use here: it is not even read. */
const PASSED_OVER: ReadonlySet<string> = new Set(['UsageRecorded', 'HoldsChanged']);
/** Each batch is a look into the store: at load they are worth collecting for as long as nobody notices. */
const GATHER_MS = 10;

/** The ledger, each partition for itself, to the one use case there is. */
@Controller()
export class LedgerController {
  constructor(private readonly alerts: RecordAlerts) {}

  @LedgerEvents(CONSUMER, { maxEvents: 1_000, pollMs: 500, gatherMs: GATHER_MS, wants: (type) => !PASSED_OVER.has(type) })
  async record({ events, last }: LedgerBatch, { partition, signal }: LedgerContext): Promise<void> {
    await this.alerts.batch(partition, events, last, signal);
  }
}
