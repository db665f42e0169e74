import type { LedgerEvent } from '@bursar/contracts';
import type { Correction } from '@bursar/contracts/folds';
import { Changes, type Quarantined } from '../../domain/changes.js';
import type { CorrectionsAt } from '../../domain/fold-counted.js';
import { applyPlan, type Plan } from '../../domain/posting.js';
import type { FoldMemory } from '../fold-memory.js';
import type { ProjectionTables } from '../projection-tables.js';

/** Commits all that was folded so far. */
export type Flush = () => Promise<void>;

/** What was folded and not taken yet: every part of a partition's fold adds to it, and sets aside there what it cannot take. */
export class OpenChanges {
  #now = new Changes();

  constructor(
    private readonly tables: Pick<ProjectionTables, 'corrections'>,
    readonly memory: FoldMemory,
  ) {}

  /** Those to add to. Only until the next `await`: they may be taken meanwhile. */
  get now(): Changes {
    return this.#now;
  }

  /** What changed since they were last taken. */
  take(): Changes {
    const taken = this.#now;
    this.#now = new Changes();
    return taken;
  }

  /** Does the table of waiting usage lack something that was folded? */
  get lackWaiting(): boolean {
    return this.#now.touchWaiting || this.memory.writing?.touchWaiting === true;
  }

  /** Does the table of what was set aside? */
  get lackQuarantined(): boolean {
    return this.#now.quarantined.length > 0 || (this.memory.writing?.quarantined.length ?? 0) > 0;
  }

  /** What was said of the usage at these positions, written or not. */
  async corrections(tenant: string, positions: readonly number[]): Promise<CorrectionsAt> {
    if (positions.length === 0) return new Map();
    // Before the tables are asked: what is being written now may be in them, or not, by the time they answer.
    const unwritten = [...(this.memory.writing?.corrected ?? []), ...this.#now.corrected].filter((one) => one.tenant === tenant);
    const found = new Map<number, readonly Correction[]>(await this.tables.corrections(tenant, positions));
    for (const { position, correction } of unwritten) found.set(position, [...(found.get(position) ?? []), correction]);
    return found;
  }

  /** The periods of the plan are in memory. False: it is set aside. */
  apply(plan: Plan, position: number): boolean {
    try {
      applyPlan(plan, this.#now, this.memory.step);
      return true;
    } catch (error) {
      const budgetIds = plan.postings.map(({ budget }) => budget.id);
      this.setAside({ position, tenant: plan.tenant, reason: reasonOf(error), budgetIds });
      return false;
    }
  }

  /** Runs a pure step. An event it cannot take is set aside, for all budgets of its tenant; null then. */
  attempt<T>({ position, meta }: Pick<LedgerEvent, 'position' | 'meta'>, step: () => T): T | null {
    try {
      return step();
    } catch (error) {
      this.setAside({ position, tenant: meta.tenant, reason: reasonOf(error), budgetIds: null });
      return null;
    }
  }

  /** Its budgets are incomplete from here on, in memory and in what is committed. */
  setAside(quarantined: Quarantined): void {
    this.#now.quarantined.push(quarantined);
    const tenant = quarantined.tenant === null ? undefined : this.memory.known(quarantined.tenant);
    for (const budgetId of quarantined.budgetIds ?? [null]) tenant?.incomplete.add(budgetId);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
