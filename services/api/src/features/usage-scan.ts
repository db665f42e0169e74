import { type EpochNs, type Period, scopeId, scopeType, type UsageRecordedEvent } from '@bursar/contracts';
import { type Charge, CorrectionsMet, isVoided, type MetCorrection, type Settled, settledCharge } from '@bursar/contracts/folds';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { Past } from '../adapters/store/past.js';
import { UsageWalk } from '../adapters/store/usage-walk.js';
import type { Gain, GroupCell } from '../domain/usage-groups.js';
import { UsageGroups } from '../domain/usage-groups.js';

/** Events that an answer which is due at once may read: some seconds' worth, well within a request's 10 s. */
const MAX_SCANNED = 200_000;
/** As many events as there are: {@link LongReads} takes care of the time. */
export const ALL = Number.POSITIVE_INFINITY;
/** Groups of one answer: a dimension with a value per event is no grouping. */
const MAX_GROUPS = 10_000;

/** What an event adds, and where it belongs; null: nothing of it is asked for. */
export type Counted = Readonly<{ currency: string; picos: bigint | null }>;
export type Scan = Readonly<{
  span: Period;
  parts: readonly Period[];
  by: string | null;
  counts: (usage: UsageRecordedEvent, settled: Settled) => Counted | null;
}>;

/** A usage event and what was said of it, in any order. */
export type Corrected = Readonly<{ usage: UsageRecordedEvent; corrections: readonly MetCorrection[] }>;

/** Spend straight from the ledger, by the same charge as the fold's: for whatever no projection is kept for. Exact, in bounded memory. */
@Injectable()
export class UsageScan {
  constructor(private readonly walk: UsageWalk) {}

  async cells(tenant: string, past: Past, { span, parts, by, counts }: Scan): Promise<readonly GroupCell[]> {
    const groups = new UsageGroups(parts);
    for await (const { usage, corrections } of this.usage(tenant, past, await this.walk.last(tenant), span.start, ALL)) {
      if (isVoided(corrections)) continue;
      const settled = settledCharge(usage, past.definitions, past.arrivals, Number.POSITIVE_INFINITY, corrections);
      const { effectiveAt } = settled.charged;
      if (effectiveAt < span.start || effectiveAt >= span.end) continue;
      const counted = counts(usage, settled);
      if (counted !== null) groups.add(gainOf(usage, settled, counted, by));
      if (groups.size > MAX_GROUPS) throw tooMany(`More than ${MAX_GROUPS} groups; ask for a shorter time or another dimension`, '/by');
    }
    return groups.cells();
  }

  /**
   * Usage with what was said of it, from a revision back to what can have happened at `since`. Throws 400 past `most` events, rather than
   * run out of time.
   */
  async *usage(
    tenant: string,
    { definitions: { holds } }: Pick<Past, 'definitions'>,
    from: number,
    since: EpochNs | undefined,
    most = MAX_SCANNED,
  ): AsyncGenerator<Corrected, void> {
    const met = new CorrectionsMet();
    let scanned = 0;
    for await (const event of this.walk.backwards(tenant, { from, since, holds })) {
      scanned += 1;
      if (scanned > most) throw tooMany(`That is more than ${most} events to look at; ask for a shorter, later time`, '/from');
      if (event.type === 'UsageRecorded') yield { usage: event, corrections: met.take(event.id) };
      else if (event.type !== 'UsageRefused') met.add(event);
    }
  }
}

const tooMany = (message: string, pointer: string): Problem =>
  new Problem('too_many', message, { errors: [{ pointer, message, code: 'too_many' }] });

const gainOf = ({ data }: UsageRecordedEvent, { charged }: Settled, counted: Counted, by: string | null): Gain => ({
  at: charged.effectiveAt,
  key: by === null ? null : keyOf(data, charged, by),
  ...counted,
  inputTokens: BigInt(data.quantities?.inputTokens ?? 0),
  outputTokens: BigInt(data.quantities?.outputTokens ?? 0),
  failed: charged.failed,
});

/**
 * Category, meter and status have fields of their own; then a dimension of that name; then the scope of that type, the event's own before
 * those above it; `scope` is the first of the event's own. null: the usage does not say.
 */
const keyOf = (
  { category, meter, status, dimensions, scopes }: UsageRecordedEvent['data'],
  { path }: Charge,
  by: string,
): string | null => {
  if (by === 'category') return category ?? null;
  if (by === 'meter') return meter ?? null;
  if (by === 'status') return status;
  if (dimensions !== undefined && Object.hasOwn(dimensions, by)) return dimensions[by] ?? null;
  if (by === 'scope') return scopes[0] ?? null;
  const scope = path.find((one) => scopeType(one) === by);
  return scope === undefined ? null : scopeId(scope);
};
