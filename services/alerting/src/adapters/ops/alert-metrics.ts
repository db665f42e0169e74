import type { Metrics } from '@bursar/platform';
import { Counter, Gauge } from 'prom-client';
import { Effect, type RecordedBatch } from '../../features/ports.js';

/** Alerts recorded by this process, by event, and how many of all are not on their topics yet. No tenants: there may be many. */
export class AlertMetrics extends Effect {
  #recorded: Counter<'event' | 'severity'> | null = null;

  /** Once there is a registry. `unpublished`: of all replicas. */
  register({ registry }: Metrics, unpublished: () => Promise<number>): void {
    const registers = [registry];
    this.#recorded = new Counter({
      name: 'bursar_alerts_recorded',
      help: 'Alerts recorded',
      labelNames: ['event', 'severity'],
      registers,
    });
    new Gauge({
      name: 'bursar_alerts_unpublished',
      help: 'Alerts recorded that are not on the alert topics yet, of all replicas',
      registers,
      async collect() {
        // While the database is away there is no figure, and all others are shown.
        this.set(await unpublished().catch(() => Number.NaN));
      },
    });
  }

  async apply(): Promise<void> {}

  override committed({ alerts }: RecordedBatch): void {
    for (const { data } of alerts) this.#recorded?.inc({ event: data.event, severity: data.severity });
  }
}
