import { canonicalJson, contentHash, derivedId, LiteLlmNotified, litellmStream, partitionOf } from '@bursar/contracts';
import { makeProblem, readUsageEvent, type UsageItem } from '@bursar/contracts/http';
import { type EventOutcome, EventStore } from '@bursar/event-store';
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
 * Spend and notice are appended in one turn, so that the store commits them together: one transaction and one range for each notice.
 * Both are durable when it resolves. What alerts it means is worked out behind, by who reads the ledger.
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
    const id = key === null ? crypto.randomUUID() : derivedId('litellm-notice', tenant, key);
    const spend = event === 'spend_tracked' ? await this.recordUsage.prepare([spendOf(body, id)], sender) : null;
    const [receipt, notified] = await Promise.all([spend?.record(), this.append(id, event, body, sender)]);
    const usage = receipt?.results[0];
    if (usage !== undefined) await this.setAside(usage, body, id, sender);
    const status = !hasEffect(event) ? 'ignored' : notified.status === 'accepted' ? 'accepted' : 'duplicate';
    return { status, event, tenant, position: notified.position, ...(usage && { usage }) };
  }

  private async append(
    id: string,
    event: string,
    body: Fields,
    sender: UsageSender,
  ): Promise<Readonly<{ status: EventOutcome['status']; position: string }>> {
    const { tenant } = sender;
    const content = { event, body: keptOfNotice(body) };
    const notified = {
      id,
      type: LiteLlmNotified.type,
      version: LiteLlmNotified.version,
      data: canonicalJson(content),
      contentHash: contentHash(content),
      meta: metaText(sender),
    };
    const partition = partitionOf(tenant, this.store.partitions);
    const appended = await this.store.append({ partition, stream: litellmStream(tenant), events: [notified], expectedRevision: 'any' });
    const [outcome] = appended.ok ? appended.outcomes : [];
    if (outcome === undefined) throw new Error('an append without an expectation cannot be refused by one');
    return { status: outcome.status, position: `${partition}:${outcome.position}` };
  }

  /** Spend that cannot be counted is kept, and says why. */
  private async setAside({ problem }: UsageResult, body: Fields, id: string, sender: UsageSender): Promise<void> {
    if (problem === undefined || problem.code === 'idempotency_conflict') return;
    const { code, detail, title } = problem;
    await this.logs.quarantine([{ record: { ...keptOfNotice(body), id, cost: body.spend }, id, code, detail: detail ?? title }], sender);
  }
}

const spendOf = (body: Fields, id: string): UsageItem => {
  const usage = usageOfNotice(body, id);
  const source = 'litellm/webhook';
  const read = usage === null ? null : readUsageEvent(usage);
  return read?.ok === true
    ? { id, source, sent: read.sent }
    : { id, source, problem: read?.problem ?? makeProblem('amount_format', '/spend: no amount that can be counted') };
};
