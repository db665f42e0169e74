import { formatInstant, formatPicos, NS_PER_MS, parsePicos, partitionOf } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { findBudget } from '../adapters/sql/budgets.js';
import { onSnapshot } from '../adapters/sql/snapshot.js';
import { loadStandings } from '../adapters/sql/standings.js';
import type { ResetBudget as ResetCommand } from '../domain/reset.js';
import { Installation } from '../installation.js';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget } from './decided-budget.js';
import type { IfMatch } from './if-match.js';
import { Settled } from './settled.js';

export type ResetInput = Readonly<{ reason?: string; newLimit?: NonNullable<ResetCommand['newLimit']> }>;

/** POST /budgets/:id/reset: a new spending window begins where the event is recorded, to the same boundary; nothing is rewritten. */
@Injectable()
export class ResetBudget {
  constructor(
    private readonly decided: DecidedBudget,
    private readonly store: EventStore,
    private readonly db: Kysely<Database>,
    private readonly installation: Installation,
    private readonly settled: Settled,
  ) {}

  async execute(context: CommandContext, budgetId: string, input: ResetInput, ifMatch: IfMatch): Promise<Answer> {
    const { tenant } = context;
    await this.#caughtUp(tenant);
    const [previousSpend, clock] = await Promise.all([this.#spend(tenant, budgetId), this.store.clock()]);
    const now = formatInstant(BigInt(Math.trunc(clock)) * NS_PER_MS);
    const { reason = null, newLimit = null } = input;
    const command = { type: 'ResetBudget', budgetId, reason, newLimit, previousSpend, now } as const;
    const outcome = await this.decided.run(context, command, ifMatch);
    return this.decided.answer(tenant, outcome, 200);
  }

  /** The spend that the log shows is that of all usage answered before. */
  async #caughtUp(tenant: string): Promise<void> {
    const partition = partitionOf(tenant, this.installation.partitions);
    const head = (await this.store.heads()).find((one) => one.partition === partition);
    if (head !== undefined) await this.settled.at(head);
  }

  #spend(tenant: string, budgetId: string): Promise<string> {
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), async (trx, moment) => {
      const budget = await findBudget(trx, tenant, budgetId);
      if (budget === undefined) return '0';
      const [standing] = await loadStandings(trx, tenant, [budget], moment);
      return formatPicos(parsePicos(standing?.balance?.spend ?? '0'));
    });
  }
}
