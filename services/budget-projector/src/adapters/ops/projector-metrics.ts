import type { Logger, Metrics } from '@bursar/platform';
import { Counter } from 'prom-client';
import type { AuditWatch } from '../../features/audit/audit.js';
import type { Projection } from '../../features/projection-tables.js';
import { ProjectorEvents } from '../../features/run-partition.js';
import { type LedgerState, type Positions, registerPartitionGauges } from './partition-gauges.js';

/** What the loops do, as metrics and log lines. */
export class ProjectorMetrics extends ProjectorEvents {
  readonly #events: Counter<'projection'>;
  readonly #commits: Counter<'projection'>;
  readonly #quarantined: Counter;
  readonly #failures: Counter<'loop'>;
  readonly #takeovers: Counter;
  readonly #overtaken: Counter<'projection'>;
  readonly #leasesLost: Counter;
  readonly #holdsExpired: Counter;
  readonly #positions: Positions = new Map();

  constructor(
    { registry }: Metrics,
    private readonly logger: Logger,
    private readonly audits: Pick<AuditWatch, 'checked'>,
    ledger: LedgerState,
    owned: () => readonly number[],
  ) {
    super();
    const count = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
      new Counter({ name: `bursar_projector_${name}`, help, labelNames, registers: [registry] });
    this.#events = count('events', 'Events folded and committed', 'projection');
    this.#commits = count('commits', 'Transactions committed', 'projection');
    this.#quarantined = count('quarantined', 'Events set aside');
    this.#failures = count('failures', 'Loops that failed and began again', 'loop');
    this.#takeovers = count('takeovers', 'Partitions taken over');
    this.#overtaken = count(
      'lost_compare_and_sets',
      'Commits that hit no checkpoint: another process had taken the partition',
      'projection',
    );
    this.#leasesLost = count('leases_lost', 'Leases that ran out and were taken by another process');
    this.#holdsExpired = count('holds_expired', 'Holds that ended because their time was over');
    registerPartitionGauges(registry, this.#positions, ledger, owned);
  }

  taken(projection: Projection, partition: number, position: number): void {
    if (projection === 'budget') this.#takeovers.inc();
    this.#positions.set(`${projection} ${partition}`, position);
    this.logger.info({ projection, partition, position }, 'taken over');
  }

  committed(projection: Projection, partition: number, position: number, events: number): void {
    this.#events.inc({ projection }, events);
    this.#commits.inc({ projection });
    this.#positions.set(`${projection} ${partition}`, position);
  }

  quarantined(partition: number, events: number): void {
    this.#quarantined.inc(events);
    this.logger.error({ partition, events }, 'events could not be folded and were set aside; their budgets are incomplete');
  }

  overtaken(projection: Projection, partition: number): void {
    this.#overtaken.inc({ projection });
    this.logger.warn({ projection, partition }, 'another process has taken the partition; what was not committed is dropped');
  }

  checked(violations: readonly string[]): void {
    this.audits.checked('block_point', violations);
  }

  expired(): void {
    this.#holdsExpired.inc();
  }

  leaseLost(partition: number): void {
    this.#leasesLost.inc();
    this.logger.warn({ partition }, 'the lease ran out and another process has it');
  }

  failed(partition: number, what: string, error: unknown): void {
    this.#failures.inc({ loop: what });
    this.logger.warn({ partition, err: error }, `${what} failed; it begins again at its checkpoint`);
  }

  halted(partition: number, error: Error): void {
    this.logger.fatal({ partition, err: error }, 'partition halted');
  }
}
