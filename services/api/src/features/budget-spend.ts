import { NS_PER_MS, NS_PER_SECOND, type Period, parseInstant, partitionOf, type UsageRecordedEvent } from '@bursar/contracts';
import { type BudgetState, budgetCounts, currentPeriod, findBudget, type Settled, settledCost } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { onSnapshot } from '../adapters/sql/snapshot.js';
import { type Group, isGroup, type SpendCell, spendCells } from '../adapters/sql/spend.js';
import { type Past, Pasts } from '../adapters/store/past.js';
import { addSpend } from '../domain/spend-groups.js';
import type { GroupCell } from '../domain/usage-groups.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';
import { LongReads } from './long-reads.js';
import type { BreakdownQuery } from './scope-spend.js';
import { cut, showGroups, shownSpan } from './spend-answer.js';
import { type Counted, UsageScan } from './usage-scan.js';

type Range = Pick<BreakdownQuery, 'from' | 'to' | 'timezone'>;
type Cells = readonly (SpendCell | GroupCell)[];
type Asked = Readonly<{ past: Past; budget: BudgetState; span: Period; parts: readonly Period[]; by: string | null }>;
const QUARTER_HOUR = 900n * NS_PER_SECOND;

/**
 * What a budget counted, in its currency, by any dimension and over time (PRODUCT A9, A10): of its current period unless a range is asked for.
 * The sum of any grouping is what its balance says. `unpriced`: usage that has no price, or no exchange rate, yet.
 */
@Injectable()
export class BudgetSpend {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly store: EventStore,
    private readonly pasts: Pasts,
    private readonly scan: UsageScan,
    private readonly long: LongReads,
    private readonly installation: Installation,
  ) {}

  /** Throws 404, and 503 `counting` while more of the ledger is read than a request has time for. */
  async breakdown(tenant: string, budgetId: string, query: BreakdownQuery): Promise<Answer> {
    const { past, budget } = await this.#find(tenant, budgetId);
    const span = await this.#spanOf(budget, query);
    const { granularity, by = null, timezone = budget.definition.period.timezone } = query;
    const parts = span === null ? [] : cut(granularity, timezone, span);
    const show = (cells: Cells): Answer => ok({ ...shownBudget(budget), ...showGroups(cells, { span, parts, timezone, by, granularity }) });
    return span === null ? show([]) : this.#answer('breakdown', tenant, query, { past, budget, span, parts, by }, show);
  }

  /** Throws as {@link breakdown}. */
  async summary(tenant: string, budgetId: string, query: Range): Promise<Answer> {
    const { past, budget } = await this.#find(tenant, budgetId);
    const span = await this.#spanOf(budget, query);
    const show = (cells: Cells): Answer => {
      const failed = addSpend(cells.filter(({ key }) => key === 'failed'));
      return ok({ ...shownBudget(budget), ...shownSpan(span), ...addSpend(cells), failed });
    };
    return span === null ? show([]) : this.#answer('summary', tenant, query, { past, budget, span, parts: [span], by: 'status' }, show);
  }

  async #find(tenant: string, budgetId: string): Promise<{ past: Past; budget: BudgetState }> {
    const past = await this.pasts.load(tenant, [budgetId]);
    const budget = findBudget(past.definitions, budgetId);
    if (budget === null || budget.deletedPosition !== null) throw new Problem('not_found', 'There is no such budget.');
    return { past, budget };
  }

  /** From the rollups where they hold just what the budget counts, in its currency; else from the ledger itself, however long that takes. */
  async #answer(kind: string, tenant: string, query: Range, asked: Asked, show: (cells: Cells) => Answer): Promise<Answer> {
    const { past, budget, span, parts, by } = asked;
    const [scope] = budget.scopes;
    if (scope !== undefined && (by === null || isGroup(by)) && isRolledUp(budget, span)) {
      const cells = await this.#rollups(tenant, scope, span, parts, by);
      if (cells.every(({ currency }) => currency === '' || currency === budget.currency)) return show(cells);
    }
    const { definitions, arrivals } = past;
    const counts = (usage: UsageRecordedEvent, settled: Settled): Counted | null => {
      if (!budgetCounts(budget, settled.charged)) return null;
      const cost = settledCost(settled, usage, budget, definitions, arrivals);
      return { currency: budget.currency, picos: cost?.picos ?? null };
    };
    return this.long.current([kind, tenant, budget.budgetId, query], async () =>
      show(await this.scan.cells(tenant, past, { span, parts, by, counts })),
    );
  }

  #rollups(tenant: string, scope: string, span: Period, parts: readonly Period[], by: Group | null): Promise<readonly SpendCell[]> {
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), (trx) => spendCells(trx, tenant, scope, span, parts, by));
  }

  /** null: the budget has no period now, or the range is empty. */
  async #spanOf(budget: BudgetState, { from, to }: Range): Promise<Period | null> {
    const needed = from === undefined || to === undefined;
    const now = needed ? BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS : 0n;
    const period = needed ? currentPeriod(budget.definition, now) : null;
    const start = from === undefined ? period?.start : parseInstant(from);
    const end = to === undefined ? period?.end : parseInstant(to);
    return start === undefined || end === undefined || start >= end ? null : { start, end };
  }
}

/** Rollups are by quarter hour and single scope, and know neither filters nor when a budget applies. */
const isRolledUp = ({ scopes, definition, validFrom, validUntil }: BudgetState, { start, end }: Period): boolean =>
  scopes.length === 1 &&
  definition.filter === undefined &&
  (validFrom === null || validFrom <= start) &&
  (validUntil === null || validUntil >= end) &&
  start % QUARTER_HOUR === 0n &&
  end % QUARTER_HOUR === 0n;

const shownBudget = ({ budgetId, definition, currency }: BudgetState): object => ({ budgetId, scope: definition.scope, currency });
