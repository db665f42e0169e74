import { Counter, collectDefaultMetrics, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';

/** A figure that something keeps by itself: a count, its name ending in `_total`, unless it is said to be a gauge. */
export type Sample = Readonly<{ name: string; help: string; value: number; kind?: 'gauge'; labels?: Readonly<Record<string, string>> }>;

/** Where a service registers what it measures: `new Counter({ …, registers: [metrics.registry] })`. Shown on the ops listener only. */
export class Metrics {
  readonly registry = new Registry<OpenMetricsContentType>();
  readonly requests: Histogram<'method' | 'route' | 'status'>;
  readonly shed: Counter;
  readonly loopLag: Gauge;

  constructor(service: string, loopLagMs: () => number) {
    this.registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    this.registry.setDefaultLabels({ service });
    collectDefaultMetrics({ register: this.registry });
    const registers = [this.registry];
    this.requests = new Histogram({
      name: 'bursar_http_request_duration_seconds',
      help: 'Time from the request line to the last byte of the answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.shed = new Counter({ name: 'bursar_http_shed', help: 'Requests refused because the event loop was late', registers });
    this.loopLag = new Gauge({
      name: 'bursar_event_loop_lag_seconds',
      help: 'How late the event loop ran, mean of the last half second',
      registers,
      collect() {
        this.set(loopLagMs() / 1_000);
      },
    });
  }

  /**
   * Shows figures that are kept elsewhere, as they are when somebody looks. The names stay the same from call to call; under one name
   * there may be several figures, told apart by their labels.
   */
  expose(samples: () => readonly Sample[]): void {
    const registers = [this.registry];
    const first = new Map(samples().map((sample) => [sample.name, sample]));
    for (const { name, help, kind, labels = {} } of first.values()) {
      const labelNames = Object.keys(labels);
      const present = () => samples().filter((sample) => sample.name === name);
      if (kind === 'gauge') {
        new Gauge({
          name,
          help,
          labelNames,
          registers,
          collect() {
            this.reset();
            for (const sample of present()) this.set(sample.labels ?? {}, sample.value);
          },
        });
      } else {
        new Counter({
          name,
          help,
          labelNames,
          registers,
          collect() {
            this.reset();
            for (const sample of present()) this.inc(sample.labels ?? {}, sample.value);
          },
        });
      }
    }
  }
}
