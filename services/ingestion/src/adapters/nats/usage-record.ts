import { traceOfHeaders } from '@bursar/bus';
import type { NatsRequest } from '@bursar/bus/nest';
import { ERROR_CODE_HEADER, ERROR_HEADER, NatsRequests, Reply } from '@bursar/bus/nest';
import type { Trace } from '@bursar/contracts';
import { usageRecordSubject } from '@bursar/contracts/bus';
import { makeProblem, type Problem } from '@bursar/contracts/http';
import { continueTrace, inTrace, Logger, toProblem } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import { RecordUsage } from '../../features/record-usage.js';
import { readIntake } from './intake-message.js';

/** Requests being worked on at once hold at most this many bytes; beyond it a request is told to come back (RELIABILITY F44). */
const MAX_BYTES_IN_FLIGHT = 16 * 1024 * 1024;

/** Answers requests on `usage.record.<tenant>` with what `POST /usage` answers; the reply means durable. */
@Controller()
export class UsageRecordResponder {
  private bytes = 0;

  constructor(
    private readonly recordUsage: RecordUsage,
    private readonly logger: Logger,
  ) {}

  @NatsRequests(usageRecordSubject('*'), { name: 'record', queue: 'ingestion', operation: 'recordUsageByRequest' })
  async answer(request: NatsRequest): Promise<Reply> {
    const { length } = request.data;
    if (this.bytes + length > MAX_BYTES_IN_FLIGHT) {
      return refusal(makeProblem('overloaded', 'Too many requests are being worked on; nothing was stored.'));
    }
    this.bytes += length;
    const trace = continueTrace(traceOfHeaders(request.headers));
    try {
      return await inTrace(trace, () => this.record(request, trace));
    } finally {
      this.bytes -= length;
    }
  }

  private async record(request: NatsRequest, trace: Trace | null): Promise<Reply> {
    try {
      const reading = readIntake(request, trace);
      if (!reading.ok) return refusal(reading.problem);
      const receipt = await this.recordUsage.execute(reading.items, { tenant: reading.tenant, actor: 'nats:usage.record', via: 'nats' });
      return Reply.of(JSON.stringify({ results: receipt.results }), {
        'Content-Type': 'application/json',
        ...(receipt.position !== null && { 'Bursar-Position': receipt.position }),
      });
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'internal_error') this.logger.error({ err: error }, 'a usage.record request failed');
      return refusal(makeProblem(problem.code, problem.detail, problem.options.extensions));
    }
  }
}

/** A refusal of the whole request: the problem document, marked as NATS services mark errors (ADR-32). */
const refusal = (problem: Problem): Reply =>
  Reply.of(JSON.stringify(problem), {
    'Content-Type': 'application/problem+json',
    [ERROR_CODE_HEADER]: String(problem.status),
    [ERROR_HEADER]: problem.code,
  });
