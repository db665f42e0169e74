import { type Bus, traceOfHeaders } from '@bursar/bus';
import type { Trace } from '@bursar/contracts';
import { usageRecordSubject } from '@bursar/contracts/bus';
import { makeProblem, type Problem } from '@bursar/contracts/http';
import { continueTrace, inTrace, type Logger, toProblem } from '@bursar/platform';
import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import type { RecordUsage } from '../../features/record-usage.js';
import { readIntake } from './intake-message.js';

/** Replicas answer in turn. */
const QUEUE = 'ingestion';
/** Requests being worked on at once hold at most this many bytes; beyond it a request is told to come back (RELIABILITY F44). */
const MAX_BYTES_IN_FLIGHT = 16 * 1024 * 1024;

/** Answers requests on `usage.record.<tenant>` with what `POST /usage` answers; the reply means durable. */
export class UsageRecordResponder {
  private bytes = 0;
  private readonly inFlight = new Set<Promise<void>>();
  private detach: (() => void) | null = null;

  constructor(
    private readonly bus: Bus,
    private readonly recordUsage: Pick<RecordUsage, 'execute'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.detach = this.bus.onConnection((nc) => {
      const subscription = nc.subscribe(usageRecordSubject('*'), { queue: QUEUE, callback: (error, message) => this.take(error, message) });
      this.unsubscribe = () => subscription.unsubscribe();
    });
  }

  /** Takes no more, and lets what was taken be answered. */
  async stop(): Promise<void> {
    this.detach?.();
    this.unsubscribe();
    await Promise.all(this.inFlight);
  }

  private unsubscribe: () => void = () => undefined;

  private take(error: Error | null, message: Msg): void {
    if (error !== null) {
      this.logger.warn({ err: error }, 'usage.record subscription failed');
      return;
    }
    if (this.bytes + message.data.length > MAX_BYTES_IN_FLIGHT) {
      respondProblem(message, makeProblem('overloaded', 'Too many requests are being worked on; nothing was stored.'));
      return;
    }
    this.bytes += message.data.length;
    const trace = continueTrace(traceOfHeaders(message.headers));
    const work = inTrace(trace, () => this.answer(message, trace)).finally(() => {
      this.bytes -= message.data.length;
      this.inFlight.delete(work);
    });
    this.inFlight.add(work);
  }

  private async answer(message: Msg, trace: Trace | null): Promise<void> {
    try {
      const reading = readIntake(message, trace);
      if (!reading.ok) {
        respondProblem(message, reading.problem);
        return;
      }
      const receipt = await this.recordUsage.execute(reading.items, { tenant: reading.tenant, actor: 'nats:usage.record', via: 'nats' });
      const fields = headers();
      fields.set('Content-Type', 'application/json');
      if (receipt.position !== null) fields.set('Bursar-Position', receipt.position);
      message.respond(JSON.stringify({ results: receipt.results }), { headers: fields });
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'internal_error') this.logger.error({ err: error }, 'a usage.record request failed');
      respondProblem(message, makeProblem(problem.code, problem.detail, problem.options.extensions));
    }
  }
}

/** A refusal of the whole request: the problem document, marked as NATS services mark errors (ADR-32). */
const respondProblem = (message: Msg, problem: Problem): void => {
  const marked: MsgHdrs = headers();
  marked.set('Content-Type', 'application/problem+json');
  marked.set('Nats-Service-Error-Code', String(problem.status));
  marked.set('Nats-Service-Error', problem.code);
  message.respond(JSON.stringify(problem), { headers: marked });
};
