import { type EpochNs, formatInstant, parsePicos } from '@bursar/contracts';
import { type BudgetState, currentPeriod, rolledOver, rolloverChain } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';
import type { Standing } from '../../domain/figures.js';
import { Standings } from '../../features/ports.js';

/** From the projector's balances, as they are now. */
export class SqlStandings extends Standings {
  constructor(private readonly db: Kysely<Database>) {
    super();
  }

  async of(tenant: string, budget: BudgetState, at: EpochNs): Promise<Standing> {
    const period = currentPeriod(budget.definition, at);
    if (period === null) return { period, spend: 0n, carried: 0n };
    const chain = rolloverChain(budget, period);
    const rows = await this.db
      .selectFrom('projection.balance')
      .select(['period_start', 'spend'])
      .where('tenant', '=', tenant)
      .where('budget_id', '=', budget.budgetId)
      .where(
        'period_start',
        'in',
        [period, ...chain].map(({ start }) => formatInstant(start)),
      )
      .execute();
    const spends = new Map(rows.map((row) => [row.period_start, parsePicos(row.spend)]));
    const spendOf = ({ start }: { start: EpochNs }): bigint => spends.get(formatInstant(start)) ?? 0n;
    return { period, spend: spendOf(period), carried: rolledOver(budget.terms, budget.currency, chain, spendOf) };
  }
}
