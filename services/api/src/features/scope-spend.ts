import { type Period, parseInstant, partitionOf, type ScopeRef } from '@bursar/contracts';
import { type Settled, shareOf } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { type Moment, onSnapshot } from '../adapters/sql/snapshot.js';
import { isGroup, spendCells, spendSpan } from '../adapters/sql/spend.js';
import { Pasts } from '../adapters/store/past.js';
import { type Granularity, wholeQuarters } from '../domain/intervals.js';
import { addSpend } from '../domain/spend-groups.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';
import { LongReads } from './long-reads.js';
import { cut, showGroups, shownSpan } from './spend-answer.js';
import { type Counted, UsageScan } from './usage-scan.js';

type Range = Readonly<{ from?: string; to?: string; timezone?: string }>;
export type BreakdownQuery = Range & Readonly<{ by?: string; granularity?: Granularity }>;

/** Spend of any scope, with or without a budget, from the rollups (PRODUCT A10). Any grouping sums to the ledger. */
@Injectable()
export class ScopeSpend {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly installation: Installation,
    private readonly pasts: Pasts,
    private readonly scan: UsageScan,
    private readonly long: LongReads,
  ) {}

  async breakdown(tenant: string, scope: ScopeRef, query: BreakdownQuery): Promise<Answer> {
    const { by = null } = query;
    if (by !== null && !isGroup(by)) return this.#fromLedger(tenant, scope, { ...query, by });
    return this.#on(tenant, async (trx) => {
      const asked = await askedOf(trx, tenant, scope, query);
      const cells = asked.span === null ? [] : await spendCells(trx, tenant, scope, asked.span, asked.parts, by);
      return ok({ scope, ...showGroups(cells, asked) });
    });
  }

  /** By what the rollups are not kept by: from the ledger itself, however much of it. */
  #fromLedger(tenant: string, scope: ScopeRef, query: BreakdownQuery & Readonly<{ by: string }>): Promise<Answer> {
    return this.long.current(['scope-breakdown', tenant, scope, query], async () => {
      const past = await this.pasts.load(tenant, []);
      const asked = await askedOf(this.db, tenant, scope, query);
      const { span, parts, by } = asked;
      const counts = (_: unknown, settled: Settled): Counted | null => countsFor(scope, settled);
      const cells = span === null ? [] : await this.scan.cells(tenant, past, { span, parts, by, counts });
      return ok({ scope, ...showGroups(cells, asked) });
    });
  }

  summary(tenant: string, scope: ScopeRef, query: Range): Promise<Answer> {
    return this.#on(tenant, async (trx) => {
      const span = await spanOf(trx, tenant, scope, query);
      const cells = span === null ? [] : await spendCells(trx, tenant, scope, span, [span], 'status');
      const failed = cells.filter((cell) => cell.key === 'failed');
      return ok({ scope, ...shownSpan(span), ...addSpend(cells), failed: addSpend(failed) });
    });
  }

  #on(tenant: string, work: (trx: Kysely<Database>, moment: Moment) => Promise<Answer>): Promise<Answer> {
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), work);
  }
}

/** In the currency it came in, as the rollups keep it. */
const countsFor = (scope: ScopeRef, { charged: { path, cost, split } }: Settled): Counted | null => {
  if (!path.includes(scope)) return null;
  return cost === null ? { currency: '', picos: null } : { currency: cost.currency, picos: shareOf(split, [scope], cost.picos) };
};

const askedOf = async (db: Kysely<Database>, tenant: string, scope: ScopeRef, query: BreakdownQuery) => {
  const { granularity, timezone = 'UTC', by = null } = query;
  const span = await spanOf(db, tenant, scope, query);
  return { span, parts: span === null ? [] : cut(granularity, timezone, span), timezone, by, granularity };
};

/** What is asked for, in whole quarter hours; an open end is where the scope's usage begins or ends. null: there is nothing. */
const spanOf = async (trx: Kysely<Database>, tenant: string, scope: ScopeRef, { from, to }: Range): Promise<Period | null> => {
  const known = from === undefined || to === undefined ? await spendSpan(trx, tenant, scope) : null;
  const start = from === undefined ? known?.start : parseInstant(from);
  const end = to === undefined ? known?.end : parseInstant(to);
  return start === undefined || end === undefined || start >= end ? null : wholeQuarters(start, end);
};
