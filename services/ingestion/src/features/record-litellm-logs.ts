import { partitionOf, usageStream } from '@bursar/contracts';
import { rate, type TenantDefinitions } from '@bursar/contracts/folds';
import { completeUsage, LIMITS, makeProblem, readUsageEvent, type UsageItem } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { quarantineEvent, type Reason } from '../domain/litellm/quarantine-event.js';
import { LITELLM_SOURCE, readLogRecord } from '../domain/litellm/read-record.js';
import type { UsageResult } from '../domain/usage-result.js';
import { PriceLists } from './ports.js';
import { RecordUsage } from './record-usage.js';
import { metaText, type UsageSender } from './sender.js';

/**
 * LiteLLM's log callback as a producer (PRODUCT A11): every record for itself. What can be counted is recorded like any usage; what
 * cannot is kept in quarantine, both durable when it resolves. Answers a result per record, in order. Throws as {@link RecordUsage}.
 */
@Injectable()
export class RecordLitellmLogs {
  constructor(
    private readonly recordUsage: RecordUsage,
    private readonly prices: PriceLists,
    private readonly store: EventStore,
  ) {}

  async execute(records: readonly unknown[], sender: UsageSender): Promise<readonly UsageResult[]> {
    const definitions = await this.prices.of(sender.tenant);
    const items = records.map((record) => itemOf(record, definitions));
    const results: UsageResult[] = [];
    for (let at = 0; at < items.length; at += LIMITS.batch) {
      results.push(...(await this.recordUsage.execute(items.slice(at, at + LIMITS.batch), sender)).results);
    }
    await this.quarantine(
      results.flatMap(({ id, problem }, index) => {
        // Another report of a call that is counted already is no loss (two callbacks of one call).
        if (problem === undefined || problem.code === 'idempotency_conflict') return [];
        return [{ record: records[index], id, code: problem.code, detail: problem.detail ?? problem.title }];
      }),
      sender,
    );
    return results;
  }

  /** Keeps records that cannot be counted; the same one once. */
  async quarantine(kept: readonly (Reason & { record: unknown })[], sender: UsageSender): Promise<void> {
    if (kept.length === 0) return;
    const { tenant } = sender;
    const meta = metaText(sender);
    const events = kept.map(({ record, ...reason }) => ({ ...quarantineEvent(tenant, record, reason), meta }));
    const once = [...new Map(events.map((event) => [event.id, event])).values()];
    await this.store.append({
      partition: partitionOf(tenant, this.store.partitions),
      stream: usageStream(tenant),
      events: once,
      expectedRevision: 'any',
    });
  }
}

const itemOf = (record: unknown, definitions: TenantDefinitions): UsageItem => {
  const reading = readLogRecord(record);
  if (!reading.ok) return { id: reading.id, source: LITELLM_SOURCE, problem: makeProblem(reading.code, reading.detail) };
  const priced = reading.repriceable ? withoutCost(reading.usage, definitions) : null;
  const read = readUsageEvent(priced ?? reading.usage);
  const id = String(reading.usage.id);
  return read.ok ? { id, source: LITELLM_SOURCE, sent: read.sent } : { id, source: LITELLM_SOURCE, problem: read.problem };
};

/** A cost of zero beside tokens is rated anew where the tenant's price lists know the model (RELIABILITY IN-L3); else zero is what it says. */
const withoutCost = ({ cost: _, ...usage }: Readonly<Record<string, unknown>>, definitions: TenantDefinitions): object | null => {
  const read = readUsageEvent(usage);
  if (!read.ok) return null;
  const rating = rate(
    completeUsage(read.sent, { now: read.sent.occurredAt ?? '', currency: 'USD' }),
    definitions,
    Number.POSITIVE_INFINITY,
  );
  return 'cost' in rating && rating.cost.picos > 0n ? usage : null;
};
