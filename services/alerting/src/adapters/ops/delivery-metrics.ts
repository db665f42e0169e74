import type { StoredAttempt } from '@bursar/database';
import type { Metrics } from '@bursar/platform';
import { Counter, Gauge, Histogram } from 'prom-client';

/** Attempts by type of channel and outcome, how long they took, and how many deliveries wait. No tenants: there may be many. */
export class DeliveryMetrics {
  readonly #attempts: Counter<'type' | 'outcome'>;
  readonly #duration: Histogram<'type'>;

  constructor({ registry }: Metrics, waiting: () => Promise<number>) {
    const registers = [registry];
    this.#attempts = new Counter({
      name: 'bursar_delivery_attempts',
      help: 'Attempts to deliver an alert',
      labelNames: ['type', 'outcome'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'bursar_delivery_attempt_duration_seconds',
      help: 'Time an attempt took',
      labelNames: ['type'],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15],
      registers,
    });
    new Gauge({
      name: 'bursar_deliveries_waiting',
      help: 'Deliveries that are neither delivered nor given up, of all replicas',
      registers,
      async collect() {
        // While the database is away there is no figure, and all others are shown.
        this.set(await waiting().catch(() => Number.NaN));
      },
    });
  }

  attempted(type: string, { outcome, durationMs }: StoredAttempt): void {
    this.#attempts.inc({ type, outcome });
    if (durationMs !== null) this.#duration.observe({ type }, durationMs / 1_000);
  }
}
