import { randomUUID } from 'node:crypto';
import { ERROR_CODE_HEADER, ERROR_HEADER, type NatsRequest, Reply } from '@bursar/bus/nest';
import { isTenantId, remembering } from '@bursar/contracts';
import { HEADER, NOT_YET } from '@bursar/contracts/bus';
import { type LedgerPosition, ReadQuery } from '@bursar/contracts/http';
import { type Logger, Problem, readJson, toProblem, validate } from '@bursar/platform';
import { type Audience, audienceOf } from '../../domain/check/audience.js';
import type { Answer } from '../../features/answer.js';
import type { Way } from '../../features/check.js';

/** A request by NATS, read: the tenant is the subject's. `text`: its body, for whoever passes it on. */
export type Received = Readonly<{
  tenant: string;
  text: () => string;
  body: unknown;
  prefer: string | null;
  minPosition: LedgerPosition | null;
  audience: Audience;
}>;

/**
 * Answers a request on `budgets.<tenant>.…` with what HTTP answers: the body as it is, a problem or a 202 with the headers of a NATS service error. At
 * once, where the answer comes at once.
 */
export const respond = (
  request: NatsRequest,
  logger: Logger,
  answer: (received: Received) => Answer | Promise<Answer>,
): Reply | Promise<Reply> => {
  const refuse = (error: unknown): Reply => {
    const [problem, requestId] = [toProblem(error), randomUUID()];
    if (problem.code === 'internal_error') logger.error({ err: error, subject: request.subject, requestId }, 'a request by NATS failed');
    return refused(problem, requestId);
  };
  try {
    const answered = answer(receive(request));
    return answered instanceof Promise ? answered.then(replied).catch(refuse) : replied(answered);
  } catch (error) {
    return refuse(error);
  }
};

const replied = ({ status, headers, body }: Answer): Reply => {
  // No problem, and no decision either: unmarked, it would pass for one.
  if (status === 202) return Reply.of(body, { ...headersOf(headers, JSON_TYPE), [ERROR_CODE_HEADER]: '202', [ERROR_HEADER]: NOT_YET });
  if (status < 400) return Reply.of(body === '' ? '{}' : body, headersOf(headers, JSON_TYPE));
  const named = headersOf(headers, PROBLEM_TYPE);
  return Reply.of(body, { ...named, [ERROR_CODE_HEADER]: String(status), [ERROR_HEADER]: codeOf(body) });
};

/** How a received question is asked on. */
export const wayOf = (call: Omit<Way['call'], 'prefer' | 'audience'>, { prefer, minPosition, audience }: Received): Way => {
  const query = minPosition === null || call.method === 'DELETE' ? '' : `?minPosition=${minPosition.partition}:${minPosition.position}`;
  return { call: { ...call, path: `${call.path}${query}`, prefer, audience }, minPosition, isForwarded: false };
};

const receive = ({ subject, data, headers }: NatsRequest): Received => {
  const start = subject.indexOf('.') + 1;
  const tenant = subject.slice(start, subject.indexOf('.', start));
  if (!isTenantId(tenant)) throw new Problem('tenant', 'The second token of the subject is not a tenant id.');
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const body = bytes.length === 0 ? undefined : readJson(bytes);
  // Who may publish on the subject is the connection's to say; the answer may still be for a user of his.
  const audience = audienceOf(['tenant-admin'], headers?.get(HEADER.audience) || undefined);
  return {
    tenant,
    text: () => bytes.toString('utf8'),
    body,
    prefer: headers?.get('Prefer') || null,
    minPosition: minPositionOf(headers),
    audience,
  };
};

/** As the query parameter of that name over HTTP. Throws 400. */
const minPositionOf = (headers: NatsRequest['headers']): LedgerPosition | null => {
  const named = headers?.get(HEADER.minPosition);
  return named ? (validate(ReadQuery, { minPosition: named }).minPosition ?? null) : null;
};

const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';

const refused = (problem: Problem, requestId: string): Reply =>
  Reply.of(JSON.stringify(problem.toDocument(requestId)), {
    ...headersOf(problem.headers, PROBLEM_TYPE),
    [ERROR_CODE_HEADER]: String(problem.status),
    [ERROR_HEADER]: problem.code,
  });

/** NATS headers are told apart by case: those of ours are written as everywhere else on the bus. `type`: as the contract says it, without a charset. */
const headersOf = (headers: Readonly<Record<string, string>>, type: string): Readonly<Record<string, string>> => {
  const named: Record<string, string> = { 'Content-Type': type };
  for (const name in headers) if (name !== 'content-type') named[nameOf(name)] = headers[name] as string;
  return named;
};

const NAMES = 64;
const nameOf = remembering((name: string) => name.replace(/(?:^|-)[a-z]/g, (first) => first.toUpperCase()), NAMES);

/** Of a problem that the owner answered. */
const codeOf = (body: string): string => {
  const { code } = JSON.parse(body) as { code?: unknown };
  return typeof code === 'string' ? code : 'internal_error';
};
