import { formatInstant, formatPicos, type LedgerEvent, type Price, partitionOf, tenantStream, toWireMoney } from '@bursar/contracts';
import {
  type BudgetState,
  decideThresholds,
  effectiveLimit,
  evolveDefinitions,
  findBudget,
  rolledOver,
  rolloverChain,
} from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely, sql } from 'kysely';
import { type KnownDefinitions, knownDefinitions, type Version } from '../adapters/sql/known-definitions.js';
import { type PeriodStanding, periodStandings } from '../adapters/sql/period-standings.js';
import { type Moment, onSnapshot, positionText } from '../adapters/sql/snapshot.js';
import { UsageWalk } from '../adapters/store/usage-walk.js';
import { type PeriodImpact, PriceImpact, periodKey } from '../domain/price-impact.js';
import { decidePriceCorrection } from '../domain/price-list.js';
import { Installation } from '../installation.js';
import { ALL, UsageScan } from './usage-scan.js';

/** Budgets and scopes listed; the totals are of all. */
const LISTED = 1_000;

export type Report = Readonly<{ position: string }>;

/** Usage events between two signs of life: PostgreSQL ends a transaction that is silent for 5 s. */
const ALIVE_EVERY = 2_000;

/**
 * What a correction of prices would change, to the pico and against one position, of any number of usage events; writes nothing (PRODUCT
 * J9). It looks at all of the tenant's usage, on one snapshot, which a connection is held for.
 */
@Injectable()
export class PriceCorrectionReports {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly installation: Installation,
    private readonly walk: UsageWalk,
    private readonly scan: UsageScan,
  ) {}

  /** null: not by `until` (of `performance.now`), since part of the differences would be none. */
  of(tenant: string, listId: string, prices: readonly Price[], until: number): Promise<Report | null> {
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), async (trx, moment) => {
      const known = await knownDefinitions(trx, tenant);
      const at = correctAfter(known, tenant, listId, prices, moment);
      const impact = new PriceImpact(known, at);
      const last = await this.walk.lastAt(tenant, moment.position);
      let seen = 0;
      for await (const { usage, corrections } of this.scan.usage(tenant, known, last, undefined, ALL)) {
        impact.add(usage, corrections);
        if (performance.now() > until) return null;
        seen += 1;
        if (seen % ALIVE_EVERY === 0) await sql`SELECT 1`.execute(trx);
      }
      const listed = [...impact.periods.values()].filter(({ difference }) => difference !== 0n);
      const budgets = await this.#budgets(trx, tenant, known, listed, impact, moment);
      const scopes = [...impact.scopes].flatMap(([scope, sums]) => {
        const differences = [...sums].flatMap(([currency, picos]) => (picos === 0n ? [] : [{ currency, difference: formatPicos(picos) }]));
        return differences.length === 0 ? [] : [{ scope, differences }];
      });
      return {
        position: positionText(moment.partition, moment.position),
        rerated: impact.rerated,
        priced: impact.priced,
        differences: [...impact.costs].map(([currency, { events, previous, cost }]) => ({
          currency,
          events,
          previous: formatPicos(previous),
          cost: formatPicos(cost),
          difference: formatPicos(cost - previous),
        })),
        budgets: budgets.slice(0, LISTED),
        scopes: scopes.slice(0, LISTED),
        usage: impact.listed.map(({ usage, previousCost, cost }) => ({
          eventId: usage.id,
          id: usage.data.id,
          previousCost: previousCost === null ? null : toWireMoney(previousCost),
          cost: toWireMoney(cost),
        })),
        truncated: budgets.length > LISTED || scopes.length > LISTED || impact.rerated + impact.priced > impact.listed.length,
      };
    });
  }

  /** What each budget comes to, and which of its thresholds would say something: judged as the projector will judge it. */
  async #budgets(
    trx: Kysely<Database>,
    tenant: string,
    known: KnownDefinitions,
    impacts: readonly PeriodImpact[],
    { periods }: PriceImpact,
    moment: Moment,
  ): Promise<readonly object[]> {
    const chains = impacts.map(({ state, period }) => rolloverChain(state, period));
    const asked = impacts.flatMap(({ state: { budgetId }, period }, index) =>
      [period, ...(chains[index] ?? [])].map(({ start }) => ({ budgetId, start })),
    );
    const rows = await periodStandings(trx, tenant, asked);
    const standings = new Map(asked.map(({ budgetId, start }, index) => [periodKey(budgetId, start), rows[index]]));
    const standingOf = (budgetId: string, start: bigint): PeriodStanding =>
      standings.get(periodKey(budgetId, start)) ?? { spend: 0n, thresholds: new Map() };
    const spendAfter = (budgetId: string, start: bigint): bigint =>
      standingOf(budgetId, start).spend + (periods.get(periodKey(budgetId, start))?.difference ?? 0n);

    const shown = impacts.map(({ state, period, difference, events }, index) => {
      const { budgetId, terms, currency } = state;
      const carried = rolledOver(terms, currency, chains[index] ?? [], ({ start }) => spendAfter(budgetId, start));
      const { spend, thresholds } = standingOf(budgetId, period.start);
      const isOpen = period.end > moment.now;
      const judge = isOpen ? state : (stateBefore(known, budgetId, period.end) ?? state);
      const limit = effectiveLimit(judge.definition, judge.controls, isOpen ? moment.now : period.end - 1n, carried);
      const isJudged = period.end > state.createdAt;
      const decided = isJudged ? decideThresholds(judge.definition.thresholds, thresholds, spend + difference, limit) : [];
      return {
        state,
        difference,
        row: {
          start: formatInstant(period.start),
          end: formatInstant(period.end),
          events,
          previousSpend: formatPicos(spend),
          spend: formatPicos(spend + difference),
          difference: formatPicos(difference),
          thresholds: decided.map(({ key, change, threshold }) => ({ threshold: key, severity: threshold.severity, change })),
        },
      };
    });
    return [...Map.groupBy(shown, ({ state }) => state.budgetId)].map(([budgetId, rowsOf]) => ({
      budgetId,
      name: rowsOf[0]?.state.definition.name,
      scope: rowsOf[0]?.state.definition.scope,
      currency: rowsOf[0]?.state.currency,
      difference: formatPicos(rowsOf.reduce((sum, { difference }) => sum + difference, 0n)),
      periods: rowsOf.map(({ row }) => row).sort((a, b) => (a.start < b.start ? -1 : 1)),
    }));
  }
}

/** The definition that was in force just before an instant. */
const stateBefore = ({ definitions, versions }: KnownDefinitions, budgetId: string, end: bigint): BudgetState | null => {
  const version = (versions.get(budgetId) ?? ([] as readonly Version[])).findLast(({ at }) => at < end);
  return version === undefined ? null : findBudget(definitions, budgetId, version.position);
};

/** Evolves what is known by the correction, as if it came next; answers where it is. */
const correctAfter = (
  { definitions, arrivals }: KnownDefinitions,
  tenant: string,
  listId: string,
  prices: readonly Price[],
  { partition, position }: Moment,
) => {
  const events = decidePriceCorrection('dry-run', listId, prices);
  for (const [index, { type, data }] of events.entries()) {
    const place = { partition, position: position + 1 + index, stream: tenantStream(tenant), revision: -1, recordedAt: '' };
    const event = { ...place, id: '', type, meta: { tenant }, data } as LedgerEvent;
    evolveDefinitions(definitions, event);
    arrivals.apply(event);
  }
  return { first: position + 1, last: position + events.length };
};
