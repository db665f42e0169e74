import { traceOfHeaders } from '@bursar/bus';
import type { DurableContext } from '@bursar/bus/nest';
import { type DurableMessage, DurableMessages } from '@bursar/bus/nest';
import { USAGE_INTAKE_STREAM, usageIntakeSubject } from '@bursar/contracts/bus';
import { LIMITS, type UsageItem } from '@bursar/contracts/http';
import { StoreOverloadedError, StoreUnavailableError } from '@bursar/event-store';
import { continueTrace, Logger } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import { RecordUsage } from '../../features/record-usage.js';
import { DeadLetters } from './dead-letters.js';
import { readIntake } from './intake-message.js';

/** A message that breaks us this often for no known reason is put aside: poison must not come back for ever (IN-E1). */
const MAX_TRIES = 5;
const RETRY_MS = 1_000;

/** What one message holds, and its place in the batch. */
type Readable = Readonly<{ index: number; tenant: string; items: readonly UsageItem[] }>;

/**
 * Records what producers publish to `usage.ingest.<tenant>`. A message is acknowledged only when all of it is durable or put aside.
 * All replicas share the consumer `ingestion`: each message goes to one of them. No linger: while one batch is being recorded the next
 * one gathers, so a lone message never waits for company.
 */
@Controller()
export class UsageIntake {
  constructor(
    private readonly recordUsage: RecordUsage,
    private readonly deadLetters: DeadLetters,
    private readonly logger: Logger,
  ) {}

  @DurableMessages({
    stream: USAGE_INTAKE_STREAM,
    durable: 'ingestion',
    subject: usageIntakeSubject('*'),
    read: (message) => message,
    retryMs: RETRY_MS,
  })
  async take(batch: readonly DurableMessage[], context: DurableContext): Promise<void> {
    const readable: Readable[] = [];
    const work: Promise<void>[] = [];
    for (const [index, message] of batch.entries()) {
      const reading = readIntake(message, continueTrace(traceOfHeaders(message.headers)));
      if (reading.ok) readable.push({ index, tenant: reading.tenant, items: reading.items });
      else work.push(this.putAside(context, index, [reading.problem.code]));
    }
    for (const group of groups(readable)) work.push(this.record(context, group));
    await Promise.all(work);
  }

  /** One append for all messages of a tenant. */
  private async record(context: DurableContext, group: readonly Readable[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    try {
      const items = group.flatMap((one) => one.items);
      const { results } = await this.recordUsage.execute(items, { tenant: first.tenant, actor: 'nats:usage.ingest', via: 'nats' });
      let at = 0;
      for (const { index, items: own } of group) {
        const reasons = results.slice(at, at + own.length).flatMap(({ problem }) => (problem === undefined ? [] : [problem.code]));
        at += own.length;
        if (reasons.length > 0) await this.putAside(context, index, reasons);
        else context.ack(index);
      }
    } catch (error) {
      await this.failed(context, group, error);
    }
  }

  private async failed(context: DurableContext, group: readonly Readable[], error: unknown): Promise<void> {
    const outage = error instanceof StoreUnavailableError || error instanceof StoreOverloadedError;
    // Of several, one may be poison: each is tried alone, so that it cannot take the others along.
    if (!outage && group.length > 1) {
      for (const one of group) await this.record(context, [one]);
      return;
    }
    this.logger.warn({ err: error }, 'usage from NATS could not be recorded yet');
    for (const { index } of group) {
      const tries = context.messages[index]?.info.deliveryCount ?? 0;
      if (!outage && tries >= MAX_TRIES) await this.putAside(context, index, ['internal_error']);
      else context.nak(index, RETRY_MS);
    }
  }

  private async putAside(context: DurableContext, index: number, reasons: readonly string[]): Promise<void> {
    const message = context.messages[index];
    if (message !== undefined && (await this.deadLetters.keep(message, reasons))) context.ack(index);
    else context.nak(index, RETRY_MS);
  }
}

/** By tenant, in order, at most as many events at once as one request may hold, unless one message alone holds more. */
const groups = (readable: readonly Readable[]): readonly (readonly Readable[])[] => {
  const closed: Readable[][] = [];
  const open = new Map<string, { group: Readable[]; events: number }>();
  for (const one of readable) {
    const current = open.get(one.tenant);
    if (current !== undefined && current.events + one.items.length <= LIMITS.batch) {
      current.group.push(one);
      current.events += one.items.length;
    } else {
      const group = [one];
      closed.push(group);
      open.set(one.tenant, { group, events: one.items.length });
    }
  }
  return closed;
};
