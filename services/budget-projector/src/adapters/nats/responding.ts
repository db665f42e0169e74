import { ERROR_CODE_HEADER, ERROR_HEADER, type NatsRequest, Reply } from '@bursar/bus/nest';
import { isTenantId, remembering } from '@bursar/contracts';
import { HEADER } from '@bursar/contracts/bus';
import { type LedgerPosition, makeProblem, ReadQuery } from '@bursar/contracts/http';
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
 * Answers a request on `budgets.<tenant>.…` with what HTTP answers: the body as it is, a problem with the headers of a NATS service error. At once, where
 * the answer comes at once.
 */
export const respond = (
  request: NatsRequest,
  logger: Logger,
  answer: (received: Received) => Answer | Promise<Answer>,
): Reply | Promise<Reply> => {
  const refuse = (error: unknown): Reply => {
    const problem = toProblem(error);
    if (problem.code === 'internal_error') logger.error({ err: error, subject: request.subject }, 'a request by NATS failed');
    return refused(problem);
  };
  try {
    const answered = answer(receive(request));
    return answered instanceof Promise ? answered.then(replied).catch(refuse) : replied(answered);
  } catch (error) {
    return refuse(error);
  }
};

const replied = ({ status, headers, body }: Answer): Reply => {
  // Over HTTP that is a 202; here an answer would pass for one.
  if (status === 202) throw new Problem('overloaded', 'What was asked for is not folded yet.', { retryAfter: 1 });
  const named = headersOf(headers);
  if (body === '') return Reply.of('{}', { 'Content-Type': 'application/json', ...named });
  return Reply.of(body, status < 400 ? named : { ...named, [ERROR_CODE_HEADER]: String(status), [ERROR_HEADER]: codeOf(body) });
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

const refused = (problem: Problem): Reply => {
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
};

/** NATS headers are told apart by case: those of ours are written as everywhere else on the bus. */
const headersOf = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const named: Record<string, string> = {};
  for (const name in headers) named[nameOf(name)] = headers[name] as string;
  return named;
};

const NAMES = 64;
const nameOf = remembering((name: string) => name.replace(/(?:^|-)[a-z]/g, (first) => first.toUpperCase()), NAMES);

/** Of a problem that the owner answered. */
const codeOf = (body: string): string => {
  const { code } = JSON.parse(body) as { code?: unknown };
  return typeof code === 'string' ? code : 'internal_error';
};
