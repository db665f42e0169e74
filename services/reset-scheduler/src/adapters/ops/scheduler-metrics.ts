import type { Logger, Metrics } from '@bursar/platform';
import { Counter, Gauge } from 'prom-client';
import { CloseWatch } from '../../features/close-due.js';

/** What the scheduler does, as metrics and log lines. */
export class SchedulerMetrics extends CloseWatch {
  readonly #said: Counter<'type'>;
  readonly #failures: Counter<'what'>;
  readonly #overdue: Gauge;

  constructor(
    { registry }: Metrics,
    private readonly logger: Logger,
    stuck: () => Promise<number>,
  ) {
    super();
    const registers = [registry];
    this.#said = new Counter({ name: 'bursar_scheduler_events', help: 'Events appended', labelNames: ['type'], registers });
    this.#failures = new Counter({
      name: 'bursar_scheduler_failures',
      help: 'What failed and was tried again',
      labelNames: ['what'],
      registers,
    });
    this.#overdue = new Gauge({
      name: 'bursar_scheduler_overdue_seconds',
      help: 'How long the timer that is due for longest waits',
      registers,
    });
    new Gauge({
      name: 'bursar_scheduler_stuck',
      help: 'Budgets whose period could not be ended, until an operator retries them',
      registers,
      async collect() {
        this.set(await stuck());
      },
    });
  }

  said(type: string, events: number): void {
    this.#said.inc({ type }, events);
  }

  /** A stuck entry is the operations alert: it is logged as an error and counted until somebody retries it. */
  failed(tenant: string, budgetId: string, error: unknown, stuck: boolean): void {
    this.#failures.inc({ what: 'budget' });
    const about = { tenant, budgetId, err: error };
    if (stuck) this.logger.error(about, 'what the clock decided for a budget could not be said; it is stuck until it is retried');
    else this.logger.warn(about, 'what the clock decided for a budget could not be said; it is tried again');
  }

  failedAt(what: string, error: unknown): void {
    this.#failures.inc({ what });
    this.logger.warn({ err: error }, `${what} failed; it begins again`);
  }

  halted(partition: number, error: Error): void {
    this.logger.fatal({ partition, err: error }, 'partition halted');
  }

  overdue(seconds: number): void {
    this.#overdue.set(seconds);
  }
}
