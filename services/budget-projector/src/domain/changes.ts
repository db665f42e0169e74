import type { CrossingData, EpochNs, LedgerEvent, ScopeRef } from '@bursar/contracts';
import type { BudgetState, Correction, DefinitionEvent, ScopeState } from '@bursar/contracts/folds';
import type { BudgetFold, PeriodState } from './budget-fold.js';
import type { Emitted } from './emitted.js';
import type { Hold } from './holds/hold.js';
import type { Lot } from './holds/lot.js';
import type { Settlement } from './holds/settlement-flag.js';
import type { Waiting } from './waiting.js';

export type ScopeChange = Readonly<{ tenant: string; scope: ScopeRef; state: ScopeState; position: number }>;

export type BudgetChange = Readonly<{
  tenant: string;
  state: BudgetState;
  /** Of the budget's own stream; null: the event is of another one, and neither the ETag nor `updatedAt` moves. */
  revision: number | null;
  /** RFC 3339, of the event that changed it. */
  updatedAt: string;
  createdBy: string | null;
}>;

/** A threshold crossed: decided here, said in the ledger by the event of this id. */
export type Crossing = Readonly<{
  tenant: string;
  alertId: string;
  data: CrossingData;
  /** Its place among what the same event caused. */
  index: number;
  /** When the event that caused it was recorded: the same live, replayed and rebuilt. */
  at: string;
}>;

/** The ledger says of a crossing what was decided before, and gives it a position. It is the ledger's word that stands. */
export type Told = Omit<Crossing, 'index'> & Readonly<{ position: number }>;

/** An episode of a threshold is over: cleared, or the threshold was removed. What is said again later changes nothing. */
export type Clearing = Readonly<{
  tenant: string;
  budgetId: string;
  periodStart: string;
  threshold: string;
  episode: number;
  at: string;
}>;

/** What was said of the usage at `position`. */
export type Corrected = Readonly<{ tenant: string; position: number; correction: Correction }>;

/** A correction of prices whose usage is to be rerated; `position` is that of the PricesCorrected. */
export type PriceCorrection = Readonly<{ tenant: string; correctionId: string; listId: string; position: number }>;

export type Quarantined = Readonly<{
  position: number;
  tenant: string | null;
  reason: string;
  /** Whose figures lack it; null: every budget of the tenant. */
  budgetIds: readonly string[] | null;
}>;

/** A definition is written with its row, its count and what it mentions: so many rows, about. */
const DEFINITION_ROWS = 20;

/** What folding changed since the last commit: one transaction's content. Balances and thresholds are read when it is written. */
export class Changes {
  /** Of the last event folded; 0 when there is none. */
  position = 0;
  events = 0;
  /** Whose state the tables lack until this is committed. */
  readonly tenants = new Set<string>();
  readonly periods = new Set<PeriodState>();
  /** Those of them that had ended already. */
  readonly late = new Set<PeriodState>();
  readonly thresholds = new Map<PeriodState, Set<string>>();
  readonly definitions: DefinitionEvent[] = [];
  readonly scopes: ScopeChange[] = [];
  readonly budgets: BudgetChange[] = [];
  readonly counted: BudgetFold[] = [];
  /** Their balances and what waits for them are forgotten before anything else is written. */
  readonly recounted: BudgetFold[] = [];
  readonly crossed: Crossing[] = [];
  readonly told: Told[] = [];
  readonly cleared: Clearing[] = [];
  readonly waiting: Waiting[] = [];
  readonly #stillWaiting = new Map<string, Waiting>();
  readonly #settled = new Map<string, { tenant: string; position: number }>();
  readonly corrected: Corrected[] = [];
  readonly pricesCorrected: PriceCorrection[] = [];
  /** Corrections of prices that have reached all usage. */
  readonly pricesApplied: Readonly<{ tenant: string; correctionId: string }>[] = [];
  readonly emitted: Emitted[] = [];
  readonly quarantined: Quarantined[] = [];
  /** Granted since the last commit. */
  readonly opened: Lot[] = [];
  /** Something became of these; some of them may have been granted since the last commit too. */
  readonly holds = new Set<Hold>();
  /** Periods in which another amount is held than before. */
  readonly reserved = new Map<BudgetFold, Set<EpochNs>>();
  /** By tenant and position of the usage. */
  readonly settlements = new Map<string, Settlement>();

  /** What it takes to write, about, in rows; at least as many as there are events. */
  get weight(): number {
    const granted = this.opened.reduce((sum, { size }) => sum + size, 0);
    const rows = this.periods.size + this.thresholds.size + granted + this.holds.size + this.definitions.length * DEFINITION_ROWS;
    return Math.max(this.events, rows);
  }

  /** The event is folded: its position may be committed. */
  passed(event: Pick<LedgerEvent, 'position' | 'meta'>): void {
    this.position = event.position;
    this.events += 1;
    if (event.meta.tenant !== undefined) this.tenants.add(event.meta.tenant);
  }

  /** Waiting usage that now waits for something else, or for other budgets. */
  get stillWaiting(): readonly Waiting[] {
    return [...this.#stillWaiting.values()];
  }

  /** Usage that waits no longer. */
  get settled(): readonly Readonly<{ tenant: string; position: number }>[] {
    return [...this.#settled.values()];
  }

  /** Corrections may settle a usage, and let it wait again, between two commits: the last word counts. */
  keepWaiting(waiting: Waiting): void {
    const id = waitingId(waiting.tenant, waiting.position);
    this.#settled.delete(id);
    this.#stillWaiting.set(id, waiting);
  }

  settle(tenant: string, position: number): void {
    const id = waitingId(tenant, position);
    this.#stillWaiting.delete(id);
    this.#settled.set(id, { tenant, position });
  }

  /** Does the table of waiting usage lack something? */
  get touchWaiting(): boolean {
    return this.waiting.length + this.#stillWaiting.size + this.#settled.size > 0;
  }

  addCrossed(crossing: Omit<Crossing, 'index'>): void {
    const last = this.crossed.at(-1);
    const isNext = last?.data.causePosition === crossing.data.causePosition && last.tenant === crossing.tenant;
    this.crossed.push({ ...crossing, index: isNext ? last.index + 1 : 0 });
  }

  touchedReserved(budget: BudgetFold, start: EpochNs): void {
    const starts = this.reserved.get(budget) ?? new Set<EpochNs>();
    this.reserved.set(budget, starts.add(start));
  }

  touchedThreshold(period: PeriodState, key: string): void {
    const keys = this.thresholds.get(period) ?? new Set<string>();
    this.thresholds.set(period, keys.add(key));
  }
}

const waitingId = (tenant: string, position: number): string => `${tenant} ${position}`;
