import type { EpochNs, Period, UsageRecordedEvent, UsageVoidedEvent } from '@bursar/contracts';
import { type Settled, settledCharge } from '@bursar/contracts/folds';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { Past } from '../adapters/store/past.js';
import { UsageWalk } from '../adapters/store/usage-walk.js';
import type { Gain, GroupCell } from '../domain/usage-groups.js';
import { UsageGroups } from '../domain/usage-groups.js';

/** Events one answer may read: some seconds' worth, well within a request's 10 s. */
const MAX_SCANNED = 200_000;
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

/** Spend straight from the ledger, by the same charge as the fold's: for whatever no projection is kept for. Exact, and bounded. */
@Injectable()
export class UsageScan {
  constructor(private readonly walk: UsageWalk) {}

  async cells(tenant: string, past: Past, { span, parts, by, counts }: Scan): Promise<readonly GroupCell[]> {
    const groups = new UsageGroups(parts);
    for await (const usage of this.usage(tenant, await this.walk.last(tenant), span.start)) {
      const settled = settledCharge(usage, past.definitions, past.arrivals);
      const { effectiveAt } = settled.charged;
      if (effectiveAt < span.start || effectiveAt >= span.end) continue;
      const counted = counts(usage, settled);
      if (counted !== null) groups.add(gainOf(usage, settled, counted, by));
      if (groups.size > MAX_GROUPS) throw tooMany(`More than ${MAX_GROUPS} groups; ask for a shorter time or another dimension`, '/by');
    }
    return groups.cells();
  }

  /** What was not voided, from a revision back to what can have happened at `since`. Throws as {@link events}. */
  async *usage(tenant: string, from: number, since: EpochNs | undefined): AsyncGenerator<UsageRecordedEvent, void> {
    const voided = new Set<string>();
    for await (const event of this.events(tenant, from, since)) {
      if (event.type === 'UsageVoided') voided.add(event.data.eventId);
      else if (!voided.delete(event.id)) yield event;
    }
  }

  /** Usage and voids, a void before what it voids. Throws 400 past so many events, rather than run out of time. */
  async *events(tenant: string, from: number, since: EpochNs | undefined): AsyncGenerator<UsageRecordedEvent | UsageVoidedEvent, void> {
    let scanned = 0;
    for await (const event of this.walk.backwards(tenant, { from, since })) {
      scanned += 1;
      if (scanned > MAX_SCANNED)
        throw tooMany(`That is more than ${MAX_SCANNED} events to look at; ask for a shorter, later time`, '/from');
      if (event.type !== 'UsageRefused') yield event;
    }
  }
}

const tooMany = (message: string, pointer: string): Problem =>
  new Problem('too_many', message, { errors: [{ pointer, message, code: 'too_many' }] });

const gainOf = ({ data }: UsageRecordedEvent, { charged }: Settled, counted: Counted, by: string | null): Gain => ({
  at: charged.effectiveAt,
  key: by === null ? null : keyOf(data, by),
  ...counted,
  inputTokens: BigInt(data.quantities?.inputTokens ?? 0),
  outputTokens: BigInt(data.quantities?.outputTokens ?? 0),
  failed: charged.failed,
});

/** Category, meter and status have fields of their own; all else is a dimension. null: the usage does not say. */
const keyOf = ({ category, meter, status, dimensions }: UsageRecordedEvent['data'], by: string): string | null => {
  if (by === 'category') return category ?? null;
  if (by === 'meter') return meter ?? null;
  if (by === 'status') return status;
  return dimensions !== undefined && Object.hasOwn(dimensions, by) ? (dimensions[by] ?? null) : null;
};
