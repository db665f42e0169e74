import { formatInstant, parseInstant, usageStream } from '@bursar/contracts';
import type { BudgetState } from '@bursar/contracts/folds';
import type { AsOf } from '@bursar/contracts/http';
import type { Database } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { Checkpoints } from '../adapters/sql/checkpoints.js';
import { Holds } from '../adapters/sql/holds.js';
import { loadIncomplete } from '../adapters/sql/standings.js';
import { BalanceStreams } from '../adapters/store/decided.js';
import { Moments } from '../adapters/store/moments.js';
import type { Past } from '../adapters/store/past.js';
import { BudgetAsOf, type Decided, type Then } from '../domain/budget-as-of.js';

/** Well within a request's 10 s, most of which is for reading. */
const MAX_WAIT_MS = 3_000;

export type Budgets = Readonly<{ all: readonly BudgetAsOf[]; decided: ReadonlyMap<string, readonly Decided[]> }>;

/** Budgets at a past moment, before any usage was added to them. */
@Injectable()
export class PastBudgets {
  constructor(
    private readonly store: EventStore,
    private readonly moments: Moments,
    private readonly balances: BalanceStreams,
    private readonly checkpoints: Checkpoints,
    private readonly holds: Holds,
    private readonly db: Kysely<Database>,
  ) {}

  /** What `asOf` means, once the projector has folded that far. Throws 400 for what has not happened, 503 while it has not. */
  async at(tenant: string, asOf: AsOf): Promise<Then> {
    const moment = await this.moments.resolve(tenant, asOf);
    await this.folded(moment);
    return moment;
  }

  /** Crossings are decided by the projector: it has to have folded that far. */
  async folded({ partition, position }: Pick<Then, 'partition' | 'position'>): Promise<void> {
    if (await this.checkpoints.passed('budget', partition, position, MAX_WAIT_MS)) return;
    throw new Problem('overloaded', 'The projection has not come to that position yet.', { retryAfter: 1 });
  }

  async load(tenant: string, past: Past, states: readonly BudgetState[], moment: Then): Promise<Budgets> {
    const ids = states.map(({ budgetId }) => budgetId);
    const balances = await this.balances.read(tenant, moment.partition, ids);
    const [first] = await this.store.readStream(usageStream(tenant), 0, 1);
    const held = await this.holds.openAt(tenant, ids, moment.position);
    const isIncomplete = await loadIncomplete(this.db, tenant, moment.position);
    const all = states.map((state) => {
      const stamps = (past.stamps.get(state.budgetId) ?? []).filter(({ position }) => position <= moment.position);
      return new BudgetAsOf({
        ...past,
        state,
        changes: stamps.map(({ position }) => position),
        updatedAt: stamps.at(-1)?.recordedAt ?? formatInstant(state.createdAt),
        firstUsage: first?.position ?? null,
        counted: balances.get(state.budgetId)?.counted ?? [],
        decided: balances.get(state.budgetId)?.decided ?? [],
        held: held.get(state.budgetId) ?? [],
        incomplete: isIncomplete(state.budgetId),
        moment,
      });
    });
    return { all, decided: new Map([...balances].map(([id, { decided }]) => [id, decided])) };
  }

  /** A crossing is as old as the event that caused it. `shown`: others than those that stood then. */
  async sinces({ partition }: Then, { all }: Budgets, shown: readonly Decided[]): Promise<(cause: number) => bigint> {
    const standing = all.flatMap((budget) => budget.active());
    const times = await this.moments.recordedAt(
      partition,
      [...shown, ...standing].map(({ data }) => data.causePosition),
    );
    return (cause) => parseInstant(times.get(cause) ?? formatInstant(0n));
  }
}
