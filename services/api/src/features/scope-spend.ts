import { formatInstant, type Period, parseInstant, partitionOf, type ScopeRef } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { type Moment, onSnapshot } from '../adapters/sql/snapshot.js';
import { GROUPS, type Group, isGroup, type SpendCell, spendCells, spendSpan } from '../adapters/sql/spend.js';
import { type Granularity, intervals, wholeQuarters } from '../domain/intervals.js';
import { addSpend } from '../domain/spend-groups.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';

type Range = Readonly<{ from?: string; to?: string; timezone?: string }>;
export type BreakdownQuery = Range & Readonly<{ by?: string; granularity?: Granularity }>;

/** Intervals of one answer: 83 days by the hour, five years by the day. */
const MAX_INTERVALS = 2_000;

/** Spend of any scope, with or without a budget, from the rollups (PRODUCT A10). Any grouping sums to the ledger. */
@Injectable()
export class ScopeSpend {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly installation: Installation,
  ) {}

  breakdown(tenant: string, scope: ScopeRef, query: BreakdownQuery): Promise<Answer> {
    const { granularity, timezone = 'UTC' } = query;
    const by = query.by === undefined ? null : readGroup(query.by);
    return this.#on(tenant, async (trx) => {
      const span = await spanOf(trx, tenant, scope, query);
      const parts = span === null ? [] : granularity === undefined ? [span] : cut(granularity, timezone, span);
      const cells = span === null ? [] : await spendCells(trx, tenant, scope, span, parts, by);
      const groups = [...Map.groupBy(cells, (cell) => JSON.stringify([cell.interval, cell.key])).values()];
      const data = groups.map((group) => ({ ...place(group, parts, by, granularity), ...addSpend(group) }));
      return ok({ scope, ...shown(span), timezone, by, granularity: granularity ?? null, data, total: addSpend(cells) });
    });
  }

  summary(tenant: string, scope: ScopeRef, query: Range): Promise<Answer> {
    return this.#on(tenant, async (trx) => {
      const span = await spanOf(trx, tenant, scope, query);
      const cells = span === null ? [] : await spendCells(trx, tenant, scope, span, [span], 'status');
      const failed = cells.filter((cell) => cell.key === 'failed');
      return ok({ scope, ...shown(span), ...addSpend(cells), failed: addSpend(failed) });
    });
  }

  #on(tenant: string, work: (trx: Kysely<Database>, moment: Moment) => Promise<Answer>): Promise<Answer> {
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), work);
  }
}

const readGroup = (by: string): Group => {
  if (isGroup(by)) return by;
  throw new Problem('not_implemented', `Spend is grouped by ${GROUPS.join(', ')} so far.`);
};

/** What is asked for, in whole quarter hours; an open end is where the scope's usage begins or ends. null: there is nothing. */
const spanOf = async (trx: Kysely<Database>, tenant: string, scope: ScopeRef, { from, to }: Range): Promise<Period | null> => {
  const known = from === undefined || to === undefined ? await spendSpan(trx, tenant, scope) : null;
  const start = from === undefined ? known?.start : parseInstant(from);
  const end = to === undefined ? known?.end : parseInstant(to);
  return start === undefined || end === undefined || start >= end ? null : wholeQuarters(start, end);
};

const cut = (granularity: Granularity, timezone: string, span: Period): readonly Period[] => {
  const parts = intervals(granularity, timezone, span, MAX_INTERVALS);
  if (parts !== null) return parts;
  const message = `More than ${MAX_INTERVALS} intervals; ask for a shorter time or longer intervals`;
  throw new Problem('too_many', message, { errors: [{ pointer: '/granularity', message, code: 'too_many' }] });
};

/** Which row of the answer it is. A value of null: the usage does not say. */
const place = (group: readonly SpendCell[], parts: readonly Period[], by: Group | null, granularity: Granularity | undefined): object => {
  const [cell] = group;
  const part = parts[cell?.interval ?? 0];
  return {
    ...(granularity !== undefined && part !== undefined && interval(part)),
    ...(by !== null && { [by]: cell?.key ?? null, key: cell?.key ?? null }),
  };
};

const interval = ({ start, end }: Period): object => ({ start: formatInstant(start), end: formatInstant(end) });
const shown = (span: Period | null): object =>
  span === null ? { from: null, to: null } : { from: formatInstant(span.start), to: formatInstant(span.end) };
