import type { Logger, Metrics } from '@bursar/platform';
import { Counter } from 'prom-client';
import { AuditWatch, INVARIANTS, type Invariant } from '../../features/audit/audit.js';

/** At most so many violations of one look are written out. */
const LOGGED = 5;

/** How often each invariant was looked at, and how often it did not hold: that is to be 0, and to be alerted on. */
export class AuditMetrics extends AuditWatch {
  readonly #checks: Counter<'invariant'>;
  readonly #violations: Counter<'invariant'>;

  constructor(
    { registry }: Metrics,
    private readonly logger: Logger,
  ) {
    super();
    const count = (name: string, help: string): Counter<'invariant'> =>
      new Counter({ name: `bursar_invariant_${name}_total`, help, labelNames: ['invariant'], registers: [registry] });
    this.#checks = count('checks', 'Looks at a sample of the tables, or at a decision: does the invariant hold?');
    this.#violations = count('violations', 'Figures found that cannot be');
    for (const invariant of INVARIANTS) {
      this.#checks.inc({ invariant }, 0);
      this.#violations.inc({ invariant }, 0);
    }
  }

  checked(invariant: Invariant, violations: readonly string[]): void {
    this.#checks.inc({ invariant });
    if (violations.length === 0) return;
    this.#violations.inc({ invariant }, violations.length);
    this.logger.error({ invariant, violations: violations.slice(0, LOGGED) }, 'an invariant does not hold');
  }

  failed(invariant: Invariant, error: unknown): void {
    this.logger.warn({ invariant, err: error }, 'an invariant could not be checked');
  }
}
