import type { EpochNs, Period } from '@bursar/contracts';
import { type BudgetFold, PeriodState } from '../domain/budget-fold.js';
import type { Changes } from '../domain/changes.js';
import type { Hold } from '../domain/holds/hold.js';
import { addSums } from '../domain/sums.js';
import { TenantFold } from '../domain/tenant-fold.js';
import type { Ledger } from './ledger.js';
import type { Held, MemoryRoom } from './memory-room.js';
import type { ProjectionTables, StoredPeriod } from './projection-tables.js';
import type { TenantHistories } from './tenant-histories.js';

/**
 * The tenants used last are kept, however many definitions they have: to load one of a hundred thousand budgets takes seconds, and who
 * has let go of it for its size needs it again at once.
 */
const HOT = 2;

type Key = Readonly<{ budget: BudgetFold; period: Period }>;

/** A partition's state in memory, loaded on first use. What is here is newer than, or equal to, the tables. */
export class FoldMemory {
  readonly #tenants = new Map<string, TenantFold>();
  /** Counts fold steps: the age of what is in memory. */
  step = 0;
  /** What is being committed just now: not in the tables yet. */
  writing: Changes | null = null;
  /** Questions to the tables whose answers are compared with memory: until then all of it stays. */
  lookups = 0;
  #periods = 0;
  /** Closed holds in memory. */
  readonly #closed = new Map<Hold, TenantFold>();
  /** The session is over: others may have the room. */
  readonly leave: () => void;

  constructor(
    private readonly tables: ProjectionTables,
    private readonly ledger: Pick<Ledger, 'firstUsage'>,
    private readonly histories: TenantHistories,
    private readonly room: MemoryRoom,
  ) {
    this.leave = room.join(this);
  }

  get held(): Held {
    return { tenants: this.#tenants.size, definitions: this.histories.size, periods: this.#periods };
  }

  async tenant(tenant: string): Promise<TenantFold> {
    return this.known(tenant) ?? this.#load(tenant);
  }

  /** Without waiting, when it is here: most usage is of a tenant that was just used. */
  known(tenant: string): TenantFold | undefined {
    const fold = this.#tenants.get(tenant);
    if (fold !== undefined) fold.usedAt = this.step;
    return fold;
  }

  /** A definition was added to it. */
  grown({ history }: TenantFold): void {
    this.histories.count(history);
  }

  /** What a reservation id stands for; null: nothing ever. One that is closed is kept until the next eviction at least. */
  async hold(tenant: TenantFold, reservationId: string): Promise<Hold | null> {
    const known = tenant.holds.get(reservationId);
    if (known !== undefined) return known;
    const [read] = await this.tables.holds([{ tenant: tenant.tenant, reservationId }]);
    if (read === undefined) return null;
    tenant.holds.set(read);
    this.closed(tenant, read);
    return read;
  }

  /** A hold is no longer open: it may be let go once the tables have it. */
  closed(tenant: TenantFold, hold: Hold): void {
    this.#closed.set(hold, tenant);
  }

  /** Brings the periods into memory, new ones empty, with those that decide what is carried into them. */
  async load(asked: readonly Key[]): Promise<void> {
    const keys = asked.flatMap(withChain);
    const missing = new Map<string, Map<string, Key>>();
    for (const key of keys) {
      const { budget, period } = key;
      if (budget.periods.has(period.start)) continue;
      if (budget.whole) this.#add(budget, period, null);
      else {
        const ofTenant = missing.get(budget.tenant) ?? new Map<string, Key>();
        missing.set(budget.tenant, ofTenant.set(`${budget.id} ${period.start}`, key));
      }
    }
    for (const [tenant, ofTenant] of missing) {
      const wanted = [...ofTenant.values()];
      const rows = await this.tables.periods(
        tenant,
        wanted.map(({ budget, period }) => ({ budgetId: budget.id, start: period.start })),
      );
      for (const [index, { budget, period }] of wanted.entries()) this.#add(budget, period, rows[index] ?? null);
    }
  }

  /** Brings in every period of the budget that has rows and ends after the instant, unless it is in memory already. */
  async loadEndingAfter(budget: BudgetFold, instant: EpochNs): Promise<void> {
    const rows = budget.whole ? [] : await this.tables.periodsEndingAfter(budget.tenant, budget.id, instant);
    for (const row of rows) {
      const period = budget.periodAt(row.start);
      // Thresholds of an earlier definition's periods stay in the tables; they are no periods of this one.
      if (period !== null && period.start === row.start && !budget.periods.has(period.start)) this.#add(budget, period, row);
    }
    await this.#loadChains(budget, instant);
  }

  /** What is loaded because it carries into another is judged as well, so what carries into it is needed too: back to the instant at most. */
  async #loadChains(budget: BudgetFold, instant: EpochNs): Promise<void> {
    if (!budget.rollsOver) return;
    for (let known = -1; known !== budget.periods.size; ) {
      known = budget.periods.size;
      const judged = [...budget.periods.values()].filter(({ period }) => period.end > instant);
      await this.load(judged.map(({ period }) => ({ budget, period })));
    }
  }

  /** Lets go of what was not used for longest, of what the tables hold. Only between two folds. */
  evict(unwritten: Readonly<Changes>): void {
    if (this.lookups > 0) return;
    for (const [hold, tenant] of this.#closed) {
      if (unwritten.holds.has(hold) || this.writing?.holds.has(hold) === true) continue;
      this.#closed.delete(hold);
      if (tenant.holds.get(hold.id) === hold) tenant.holds.delete(hold.id);
    }
    const isClean = (tenant: TenantFold): boolean =>
      !unwritten.tenants.has(tenant.tenant) && this.writing?.tenants.has(tenant.tenant) !== true && tenant.undecided.isEmpty;
    const { held, room } = this;
    const tenants = room.quota('tenants', held.tenants) ?? Number.POSITIVE_INFINITY;
    const definitions = room.quota('definitions', held.definitions) ?? Number.POSITIVE_INFINITY;
    if (held.definitions > definitions) this.histories.keep(this.#tenants);
    if (held.tenants > tenants || this.histories.size > definitions) this.#evictTenants(isClean, tenants, definitions);
    const periods = room.quota('periods', held.periods);
    if (periods !== null && held.periods > periods) this.#evictPeriods(unwritten, periods);
  }

  #add(budget: BudgetFold, period: Period, row: StoredPeriod | null): void {
    const state = new PeriodState(budget, period);
    if (row !== null) {
      if (row.sums !== null) addSums(state.sums, row.sums);
      state.position = row.position;
      state.updatedAt = row.updatedAt;
      for (const [key, threshold] of row.thresholds) state.thresholds.set(key, threshold);
    }
    state.usedAt = this.step;
    budget.periods.set(period.start, state);
    this.#periods += 1;
  }

  async #load(tenant: string): Promise<TenantFold> {
    const [history, counted, firstUsage, incomplete, open] = await Promise.all([
      this.histories.get(tenant),
      this.tables.counted(tenant),
      this.ledger.firstUsage(tenant),
      this.tables.incomplete(tenant),
      this.tables.openHolds(tenant),
    ]);
    const fold = new TenantFold(history, counted, firstUsage, open);
    for (const budgetId of incomplete) fold.incomplete.add(budgetId);
    fold.usedAt = this.step;
    this.#tenants.set(tenant, fold);
    return fold;
  }

  #evictTenants(isClean: (tenant: TenantFold) => boolean, tenants: number, definitions: number): void {
    const coldest = [...this.#tenants.values()].sort((a, b) => a.usedAt - b.usedAt);
    for (const [index, one] of coldest.entries()) {
      const { tenant, budgets } = one;
      const isHot = index >= coldest.length - HOT;
      if (this.#tenants.size <= tenants && (isHot || this.histories.size <= definitions)) return;
      if (!isClean(one)) continue;
      for (const budget of budgets.values()) this.#periods -= budget.periods.size;
      this.#tenants.delete(tenant);
      this.histories.forget(tenant);
    }
  }

  #evictPeriods(unwritten: Readonly<Changes>, most: number): void {
    const clean: PeriodState[] = [];
    // Counted anew: deleted and recounted budgets took theirs with them.
    this.#periods = 0;
    for (const { budgets } of this.#tenants.values()) {
      for (const { periods } of budgets.values()) {
        this.#periods += periods.size;
        for (const state of periods.values()) if (!isUnwritten(state, unwritten) && !isUnwritten(state, this.writing)) clean.push(state);
      }
    }
    if (this.#periods <= most) return;
    clean.sort((a, b) => a.usedAt - b.usedAt);
    for (const { budget, period } of clean.slice(0, this.#periods - most)) {
      budget.periods.delete(period.start);
      budget.whole = false;
      this.#periods -= 1;
    }
  }
}

/** Nearly always the key alone. */
const withChain = (key: Key): readonly Key[] => {
  const chain = key.budget.chainBefore(key.period);
  return chain.length === 0 ? [key] : [key, ...chain.map((period) => ({ budget: key.budget, period }))];
};

const isUnwritten = (state: PeriodState, changes: Readonly<Changes> | null): boolean =>
  changes !== null && (changes.periods.has(state) || changes.thresholds.has(state));
