import type { Logger, Metrics } from '@bursar/platform';
import { Counter, Gauge } from 'prom-client';
import { LARGEST_SKEW_SECONDS } from '../../domain/clock-skew.js';
import { CloseWatch } from '../../features/close-due.js';
import { TIME_ZONE_DATA } from '../time-zone-data.js';

/** What the scheduler does, as metrics and log lines. */
export class SchedulerMetrics extends CloseWatch {
  readonly #said: Counter<'type'>;
  readonly #failures: Counter<'what'>;
  readonly #overdue: Gauge;
  readonly #skew: Gauge;
  #isSkewed = false;

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
    this.#skew = new Gauge({
      name: 'bursar_clock_skew_seconds',
      help: 'How far the clock of this machine is ahead of that of the database, at least',
      registers,
    });
    new Gauge({
      name: 'bursar_time_zone_data',
      help: 'The version of the IANA time zone data that boundaries are computed with',
      labelNames: ['version'],
      registers,
    }).set({ version: TIME_ZONE_DATA }, 1);
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

  /** A wrong clock is an operations alert, once when it goes wrong: nothing is decided by it, but producers here stamp events by it. */
  skewed(seconds: number): void {
    this.#skew.set(seconds);
    const isSkewed = Math.abs(seconds) > LARGEST_SKEW_SECONDS;
    if (isSkewed && !this.#isSkewed)
      this.logger.error({ seconds }, 'the clock of this machine is not that of the database; set both by NTP');
    if (!isSkewed && this.#isSkewed) this.logger.info({ seconds }, 'the clock of this machine is that of the database again');
    this.#isSkewed = isSkewed;
  }

  /** Boundaries in zones whose rules changed are elsewhere now. */
  otherTimeZoneData(before: string): void {
    const about = { before, now: TIME_ZONE_DATA };
    this.logger.warn(about, 'boundaries are computed with other time zone data than before; every timer is looked at again');
  }

  overdue(seconds: number): void {
    this.#overdue.set(seconds);
  }
}
