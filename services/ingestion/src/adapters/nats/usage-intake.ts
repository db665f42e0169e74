import { setTimeout as delay } from 'node:timers/promises';
import { type Bus, traceOfHeaders } from '@bursar/bus';
import { USAGE_INTAKE_STREAM, usageIntakeSubject } from '@bursar/contracts/bus';
import { LIMITS, type UsageItem } from '@bursar/contracts/http';
import { StoreOverloadedError, StoreUnavailableError } from '@bursar/event-store';
import { continueTrace, type Logger } from '@bursar/platform';
import {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  JetStreamApiCodes,
  JetStreamApiError,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { RecordUsage } from '../../features/record-usage.js';
import { batches } from './batches.js';
import { keepDeadLetter } from './dead-letters.js';
import { readIntake } from './intake-message.js';

/** All replicas share this consumer: each message goes to one of them. */
const DURABLE = 'ingestion';
const ACK_WAIT_NS = 30_000_000_000;
const MAX_UNACKNOWLEDGED = 2_000;
/** Bytes pulled ahead; above the largest message a server may allow, or that message would never come. */
const PULL_BYTES = 16 * 1024 * 1024;
const BATCH_MESSAGES = 200;
const RETRY_MS = 1_000;
const REOPEN_MS = 250;
/** A message that breaks us this often for no known reason is put aside: poison must not come back for ever (IN-E1). */
const MAX_TRIES = 5;

type Readable = Readonly<{ message: JsMsg; tenant: string; items: readonly UsageItem[] }>;

/** Records what producers publish to `usage.ingest.<tenant>`. A message is acknowledged only when all of it is durable or put aside. */
export class UsageIntake {
  private readonly stopping = new AbortController();
  private messages: ConsumerMessages | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly bus: Bus,
    private readonly recordUsage: Pick<RecordUsage, 'execute'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.bus.onConnection((nc) => {
      this.running = this.running.then(() => this.keepConsuming(nc));
    });
  }

  /** Finishes the batch in hand; what was pulled and not begun is delivered again, to somebody else. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.messages?.stop();
    await this.running;
  }

  private async keepConsuming(nc: NatsConnection): Promise<void> {
    while (!this.stopping.signal.aborted && !nc.isClosed()) {
      try {
        await this.consume(await openConsumer(nc));
      } catch (error) {
        if (!isMissing(error)) this.logger.warn({ err: error }, 'usage intake over NATS was interrupted');
      }
      // The stream may be missing, at first or for ever: the bus, which guards the streams, makes it anew and says so.
      await delay(REOPEN_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async consume(consumer: Consumer): Promise<void> {
    const messages = await consumer.consume({ max_bytes: PULL_BYTES, abort_on_missing_resource: true });
    this.messages = messages;
    if (this.stopping.signal.aborted) messages.stop();
    for await (const batch of batches(messages, BATCH_MESSAGES)) {
      await this.settle(batch);
      if (this.stopping.signal.aborted) break;
    }
  }

  private async settle(batch: readonly JsMsg[]): Promise<void> {
    const readable: Readable[] = [];
    const work: Promise<void>[] = [];
    for (const message of batch) {
      const reading = readIntake(message, continueTrace(traceOfHeaders(message.headers)));
      if (reading.ok) readable.push({ message, tenant: reading.tenant, items: reading.items });
      else work.push(this.putAside(message, [reading.problem.code]));
    }
    for (const group of groups(readable)) work.push(this.record(group));
    await Promise.all(work);
  }

  /** One append for all messages of a tenant. */
  private async record(group: readonly Readable[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    try {
      const items = group.flatMap((one) => one.items);
      const { results } = await this.recordUsage.execute(items, { tenant: first.tenant, actor: 'nats:usage.ingest', via: 'nats' });
      let at = 0;
      for (const { message, items: own } of group) {
        const reasons = results.slice(at, at + own.length).flatMap(({ problem }) => (problem === undefined ? [] : [problem.code]));
        at += own.length;
        if (reasons.length > 0) await this.putAside(message, reasons);
        else message.ack();
      }
    } catch (error) {
      await this.failed(group, error);
    }
  }

  private async failed(group: readonly Readable[], error: unknown): Promise<void> {
    const outage = error instanceof StoreUnavailableError || error instanceof StoreOverloadedError;
    // Of several, one may be poison: each is tried alone, so that it cannot take the others along.
    if (!outage && group.length > 1) {
      for (const one of group) await this.record([one]);
      return;
    }
    this.logger.warn({ err: error }, 'usage from NATS could not be recorded yet');
    for (const { message } of group) {
      if (!outage && message.info.deliveryCount >= MAX_TRIES) await this.putAside(message, ['internal_error']);
      else message.nak(RETRY_MS);
    }
  }

  private async putAside(message: JsMsg, reasons: readonly string[]): Promise<void> {
    if (await keepDeadLetter(this.bus, message, reasons)) message.ack();
    else message.nak(RETRY_MS);
  }
}

const MISSING: readonly number[] = [JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound];
const isMissing = (error: unknown): boolean => error instanceof JetStreamApiError && MISSING.includes(error.code);

const openConsumer = async (nc: NatsConnection): Promise<Consumer> => {
  const manager = await jetstreamManager(nc);
  await manager.consumers.add(USAGE_INTAKE_STREAM, {
    durable_name: DURABLE,
    ack_policy: AckPolicy.Explicit,
    ack_wait: ACK_WAIT_NS,
    max_ack_pending: MAX_UNACKNOWLEDGED,
    max_deliver: -1,
    filter_subject: usageIntakeSubject('*'),
  });
  return jetstream(nc).consumers.get(USAGE_INTAKE_STREAM, DURABLE);
};

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
