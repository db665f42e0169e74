import type { Logger, Metrics } from '@bursar/platform';
import { Counter } from 'prom-client';
import { RefusalWatch } from '../../features/record-refusals.js';

/** What became of refusals: lost ones are to be 0. */
export class RefusalMetrics extends RefusalWatch {
  readonly #recorded = counter('recorded', 'UsageRefused events appended; repeats within a minute share one');
  readonly #lost = counter('lost', 'Refusals that are in no event: too many waited for the store, or the process ended');

  constructor(private readonly logger: Logger) {
    super();
  }

  register({ registry }: Metrics): void {
    for (const one of [this.#recorded, this.#lost]) registry.registerMetric(one);
  }

  recorded(events: number): void {
    this.#recorded.inc(events);
  }

  lost(refusals: number): void {
    this.#lost.inc(refusals);
    this.logger.error({ refusals }, 'refusals could not be recorded');
  }

  failed(error: unknown): void {
    this.logger.warn({ err: error }, 'refusals could not be recorded yet; they are tried again');
  }
}

const counter = (name: string, help: string): Counter =>
  new Counter({ name: `bursar_projector_refusals_${name}_total`, help, registers: [] });
