import { canonicalJson, contentHash, derivedId, LiteLlmNotified, litellmStream, partitionOf } from '@bursar/contracts';
import { makeProblem, readUsageEvent, type UsageItem } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import type { Fields } from '../domain/litellm/fields.js';
import { keptOfNotice } from '../domain/litellm/kept-fields.js';
import { eventOfNotice, hasEffect, usageOfNotice } from '../domain/litellm/read-notice.js';
import type { UsageResult } from '../domain/usage-result.js';
import { RecordLitellmLogs } from './record-litellm-logs.js';
import { RecordUsage } from './record-usage.js';
import { metaText, type UsageSender } from './sender.js';

export type NoticeReceipt = Readonly<{
  status: 'accepted' | 'duplicate' | 'ignored';
  event: string;
  tenant: string;
  position: string;
  usage?: UsageResult;
}>;

/**
 * A notice of LiteLLM's budget webhook (PRODUCT A11). It names itself by nothing, so each one is another, unless the caller gave a key.
 * Spend is recorded first, then the notice: durable when it resolves. What alerts it means is worked out behind, by who reads the ledger.
 */
@Injectable()
export class ReceiveLitellmNotice {
  constructor(
    private readonly recordUsage: RecordUsage,
    private readonly logs: RecordLitellmLogs,
    private readonly store: EventStore,
  ) {}

  async execute(body: Fields, key: string | null, sender: UsageSender): Promise<NoticeReceipt> {
    const { tenant } = sender;
    const event = eventOfNotice(body);
    const kept = keptOfNotice(body);
    const id = key === null ? crypto.randomUUID() : derivedId('litellm-notice', tenant, key);
    const usage = event === 'spend_tracked' ? await this.recordSpend(body, id, sender) : undefined;
    const partition = partitionOf(tenant, this.store.partitions);
    const notified = {
      id,
      type: LiteLlmNotified.type,
      version: LiteLlmNotified.version,
      data: canonicalJson({ event, body: kept }),
      contentHash: contentHash({ event, body: kept }),
      meta: metaText(sender),
    };
    const appended = await this.store.append({ partition, stream: litellmStream(tenant), events: [notified], expectedRevision: 'any' });
    const [outcome] = appended.ok ? appended.outcomes : [];
    if (outcome === undefined) throw new Error('an append without an expectation cannot be refused by one');
    const status = !hasEffect(event) ? 'ignored' : outcome.status === 'accepted' ? 'accepted' : 'duplicate';
    return { status, event, tenant, position: `${partition}:${outcome.position}`, ...(usage && { usage }) };
  }

  private async recordSpend(body: Fields, id: string, sender: UsageSender): Promise<UsageResult> {
    const usage = usageOfNotice(body, id);
    const source = 'litellm/webhook';
    const read = usage === null ? null : readUsageEvent(usage);
    const item: UsageItem =
      read?.ok === true
        ? { id, source, sent: read.sent }
        : { id, source, problem: read?.problem ?? makeProblem('amount_format', '/spend: no amount that can be counted') };
    const [result] = (await this.recordUsage.execute([item], sender)).results;
    if (result === undefined) throw new Error('an event without a result');
    if (result.problem !== undefined && result.problem.code !== 'idempotency_conflict') {
      const { code, detail, title } = result.problem;
      await this.logs.quarantine([{ record: { ...keptOfNotice(body), id, cost: body.spend }, id, code, detail: detail ?? title }], sender);
    }
    return result;
  }
}
