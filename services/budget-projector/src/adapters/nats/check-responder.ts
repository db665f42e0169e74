import { ERROR_CODE_HEADER, ERROR_HEADER, type NatsRequest, NatsRequests, Reply } from '@bursar/bus/nest';
import { isTenantId } from '@bursar/contracts';
import { budgetsSubject, HEADER } from '@bursar/contracts/bus';
import { CheckBody, type LedgerPosition, makeProblem, ReadQuery, routeOf } from '@bursar/contracts/http';
import { Logger, Problem, readJson, toProblem, validate } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import { Check } from '../../features/check.js';

const ROUTE = routeOf('check');

/** Answers requests on `budgets.<tenant>.check` with what `POST /check` answers. The tenant is the subject's. */
@Controller()
export class CheckResponder {
  constructor(
    private readonly checks: Check,
    private readonly logger: Logger,
  ) {}

  @NatsRequests(budgetsSubject('*', 'check'), { name: 'check', queue: 'budget-projector', operation: 'checkByRequest' })
  async answer(request: NatsRequest): Promise<Reply> {
    try {
      return await this.decide(request);
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'internal_error') this.logger.error({ err: error }, 'a check by request failed');
      const document = makeProblem(problem.code, problem.detail, {
        ...problem.options.extensions,
        ...(problem.options.errors !== undefined && { errors: problem.options.errors }),
      });
      return Reply.of(JSON.stringify(document), {
        ...headersOf(problem.headers),
        'Content-Type': 'application/problem+json',
        [ERROR_CODE_HEADER]: String(problem.status),
        [ERROR_HEADER]: problem.code,
      });
    }
  }

  private async decide({ subject, data, headers }: NatsRequest): Promise<Reply> {
    const [, tenant] = subject.split('.');
    if (!isTenantId(tenant)) throw new Problem('tenant', 'The second token of the subject is not a tenant id.');
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const body = validate(CheckBody, bytes.length === 0 ? undefined : readJson(bytes));
    const call = { tenant, path: ROUTE.path, body: bytes.toString('utf8'), prefer: headers?.get('Prefer') || null };
    const minPosition = minPositionOf(headers);
    const path = minPosition === null ? ROUTE.path : `${ROUTE.path}?minPosition=${minPosition.partition}:${minPosition.position}`;
    const answer = await this.checks.check(body, { call: { ...call, path }, minPosition, isForwarded: false });
    // Over HTTP that is a 202; here an answer would pass for one.
    if (answer.status === 202) throw new Problem('overloaded', 'What was asked for is not folded yet.', { retryAfter: 1 });
    const isError = answer.status >= 400;
    return Reply.of(answer.body, {
      ...headersOf(answer.headers),
      ...(isError && { [ERROR_CODE_HEADER]: String(answer.status), [ERROR_HEADER]: codeOf(answer.body) }),
    });
  }
}

/** As the query parameter of that name over HTTP. Throws 400. */
const minPositionOf = (headers: NatsRequest['headers']): LedgerPosition | null => {
  const named = headers?.get(HEADER.minPosition) || undefined;
  return validate(ReadQuery, { minPosition: named }).minPosition ?? null;
};

/** NATS headers are told apart by case: those of ours are written as everywhere else on the bus. */
const headersOf = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.replace(/(?:^|-)[a-z]/g, (first) => first.toUpperCase()), value]),
  );

/** Of a problem that the owner answered. */
const codeOf = (body: string): string => {
  const { code } = JSON.parse(body) as { code?: unknown };
  return typeof code === 'string' ? code : 'internal_error';
};
