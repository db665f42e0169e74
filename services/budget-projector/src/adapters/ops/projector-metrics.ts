import type { Logger, Metrics } from '@bursar/platform';
import { Counter, Gauge } from 'prom-client';
import type { Projection } from '../../features/projection-tables.js';
import { ProjectorEvents } from '../../features/run-partition.js';

/** What the loops do, as metrics and log lines. */
export class ProjectorMetrics extends ProjectorEvents {
  readonly #events: Counter<'projection'>;
  readonly #commits: Counter<'projection'>;
  readonly #quarantined: Counter;
  readonly #failures: Counter<'loop'>;
  readonly #position: Gauge<'projection' | 'partition'>;

  constructor(
    { registry }: Metrics,
    private readonly logger: Logger,
    heads: () => Promise<ReadonlyMap<number, number>>,
    owned: () => readonly number[],
  ) {
    super();
    const registers = [registry];
    this.#events = new Counter({
      name: 'bursar_projector_events',
      help: 'Events folded and committed',
      labelNames: ['projection'],
      registers,
    });
    this.#commits = new Counter({
      name: 'bursar_projector_commits',
      help: 'Transactions committed',
      labelNames: ['projection'],
      registers,
    });
    this.#quarantined = new Counter({ name: 'bursar_projector_quarantined', help: 'Events set aside', registers });
    this.#failures = new Counter({
      name: 'bursar_projector_failures',
      help: 'Loops that failed and began again',
      labelNames: ['loop'],
      registers,
    });
    this.#position = new Gauge({
      name: 'bursar_projector_position',
      help: 'Committed checkpoint',
      labelNames: ['projection', 'partition'],
      registers,
    });
    this.#registerLag(registers, heads, owned);
  }

  committed(projection: Projection, partition: number, position: number, events: number): void {
    this.#events.inc({ projection }, events);
    if (events > 0) this.#commits.inc({ projection });
    this.#position.set({ projection, partition }, position);
    this.#committed.set(`${projection} ${partition}`, position);
  }

  quarantined(partition: number, events: number): void {
    this.#quarantined.inc(events);
    this.logger.error({ partition, events }, 'events could not be folded and were set aside; their budgets are incomplete');
  }

  failed(partition: number, what: string, error: unknown): void {
    this.#failures.inc({ loop: what });
    this.logger.warn({ partition, err: error }, `${what} failed; it begins again at its checkpoint`);
  }

  halted(partition: number, error: Error): void {
    this.logger.fatal({ partition, err: error }, 'partition halted');
  }

  readonly #committed = new Map<string, number>();

  /** Events between the store's head and the checkpoint, of owned partitions. */
  #registerLag(registers: Metrics['registry'][], heads: () => Promise<ReadonlyMap<number, number>>, owned: () => readonly number[]): void {
    const committed = this.#committed;
    new Gauge({
      name: 'bursar_projector_lag_events',
      help: 'Events in the store that are not committed yet, per owned partition',
      labelNames: ['projection', 'partition'],
      registers,
      async collect() {
        this.reset();
        const at = await heads();
        for (const partition of owned()) {
          for (const projection of ['budget', 'breakdown']) {
            const position = committed.get(`${projection} ${partition}`);
            if (position !== undefined) this.set({ projection, partition }, Math.max(0, (at.get(partition) ?? 0) - position));
          }
        }
      },
    });
  }
}
