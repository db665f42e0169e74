import { z } from 'zod';

/** What a code means to a client. `retryable`: the same request may succeed later without being changed. */
export type ProblemKind = Readonly<{ status: number; title: string; retryable: boolean }>;

/**
 * What can be wrong with one field of a request. These are the codes of `errors[]`, and of the whole problem when a field is what is wrong:
 * a problem's `code` is the first field's. RELIABILITY §4 names most of them.
 */
const ISSUES = {
  // numbers and money
  amount_format: 'Not a plain decimal',
  scale: 'Too many fraction digits',
  negative: 'Negative where that has no meaning',
  not_positive: 'Must be greater than zero',
  too_large: 'Larger than allowed',
  too_small: 'Smaller than allowed',
  unsafe_integer: 'A JSON number of more than 15 significant digits; send it as a string',
  not_an_integer: 'Must be a whole number',
  currency: 'Not an ISO 4217 currency code',
  // time
  time_format: 'Not an RFC 3339 instant',
  offset_required: 'An instant needs an offset',
  time_range: 'Outside the years that are kept',
  future: 'Too far in the future',
  too_old: 'Older than the age window',
  timezone: 'Not an IANA time zone',
  duration_format: 'Not a duration',
  // text and shape
  required: 'Missing',
  unknown_field: 'Unknown field',
  forbidden_key: 'A key that may not appear',
  wrong_type: 'Of another JSON type than expected',
  text_format: 'Empty, blank, or holds control characters',
  too_long: 'Longer than allowed',
  too_many: 'Too many items',
  too_few: 'Too few items',
  not_allowed: 'Not one of the allowed values',
  scope_format: 'Not a scope',
  duplicate: 'Appears twice',
  exclusive: 'Fields that exclude or need each other',
  order: 'Not in order',
  cursor: 'Not a cursor of this list',
  position_format: 'Not a position',
  // usage
  no_cost: 'Neither cost nor quantities',
  parts_exceed_whole: 'Parts larger than their whole',
  total_mismatch: 'totalTokens is not input + output',
  allocation_sum: 'Allocation does not sum to 100',
  // words of notifications
  placeholder_unknown: 'A placeholder that does not exist',
  placeholder_malformed: 'A placeholder that cannot be read, or stands where no value may go',
  active_content: 'Content that would run, load or submit something',
  // targets of notifications
  target: 'Not a target that may be called',
  email: 'Not an e-mail address',
  secret_format: 'Not a secret: whsec_ and the base64 of 24 to 64 bytes',
  unknown_type: 'No rule covers this CloudEvents type',
  unpriced: 'No price covers these quantities',
  unreserved: 'Names no reservation, and a budget that blocks counts it',
} as const;

/** Codes of one field. */
export type IssueCode = keyof typeof ISSUES;
export const ISSUE_CODES = Object.keys(ISSUES) as readonly IssueCode[];
export const isIssueCode = (code: unknown): code is IssueCode => typeof code === 'string' && Object.hasOwn(ISSUES, code);

const kind = (status: number, title: string, retryable = false): ProblemKind => ({ status, title, retryable });

const REFUSALS = {
  // the body as a whole
  empty_body: kind(400, 'The body is empty'),
  bad_json: kind(400, 'The body is not one JSON document'),
  bad_encoding: kind(400, 'The body is not UTF-8'),
  too_deep: kind(400, 'The body is nested too deep'),
  not_an_object: kind(400, 'The body is not a JSON object'),
  batch_size: kind(400, 'A batch holds 1 to 1,000 events'),
  cloudevent_attribute: kind(400, 'A CloudEvents attribute is missing'),
  bad_request: kind(400, 'The request cannot be understood'),
  idempotency_key: kind(400, 'Not an idempotency key'),
  tenant: kind(400, 'Not a tenant id'),
  // who asks, and for what
  unauthenticated: kind(401, 'Credentials are missing or not valid'),
  forbidden: kind(403, 'These credentials may not do that'),
  not_found: kind(404, 'There is no such thing'),
  method_not_allowed: kind(405, 'This method is not allowed here'),
  request_timeout: kind(408, 'The request took too long to arrive', true),
  payload_too_large: kind(413, 'The body is larger than 4 MB'),
  uri_too_long: kind(414, 'The address is too long'),
  unsupported_media_type: kind(415, 'The body is of a type that is not read here'),
  headers_too_large: kind(431, 'The headers are too large'),
  // money says no: never 429, which clients retry
  budget_exceeded: kind(402, 'Budget exceeded'),
  budget_paused: kind(402, 'Budget is paused'),
  budget_incomplete: kind(402, 'The figures of a budget are incomplete'),
  approval_required: kind(402, 'Approval is required'),
  rate_missing: kind(402, 'No exchange rate covers this amount'),
  model_not_allowed: kind(402, 'The budget does not allow this model'),
  price_missing: kind(402, 'No price covers these quantities'),
  // the state of things says no
  conflict: kind(409, 'It changed meanwhile', true),
  already_exists: kind(409, 'It exists already'),
  in_use: kind(409, 'Other things hang on it'),
  scope_cycle: kind(409, 'A scope cannot be above itself'),
  idempotency_conflict: kind(409, 'The same id with other content'),
  idempotency_key_reused: kind(409, 'The same idempotency key with another body'),
  in_flight: kind(409, 'The same idempotency key is being worked on', true),
  reservation_conflict: kind(409, 'The same reservation id with another body'),
  usage_voided: kind(409, 'The usage was voided'),
  reservation_settled: kind(409, 'The reservation is settled'),
  budget_deleted: kind(409, 'Budget is deleted'),
  no_open_period: kind(409, 'No period of the budget is open'),
  precondition_failed: kind(412, 'It is not the version you named'),
  // not now
  rate_limited: kind(429, 'Too many requests', true),
  overloaded: kind(503, 'Too much waits here', true),
  store_unavailable: kind(503, 'The event store does not answer', true),
  outcome_unknown: kind(503, 'The outcome is not known; repeat the request', true),
  no_owner: kind(503, 'Nobody owns this partition at the moment', true),
  counting: kind(503, 'The past of this budget is being added up', true),
  upstream_unavailable: kind(503, 'A service behind this one does not answer', true),
  shutting_down: kind(503, 'This process is stopping', true),
  timed_out: kind(503, 'It took longer than 10 s; the outcome is not known', true),
  not_implemented: kind(501, 'Not built yet'),
  internal_error: kind(500, 'Something broke here'),
} as const satisfies Record<string, ProblemKind>;

/** Every code a problem may carry: a new one does not compile until it has a status. */
export type ProblemCode = IssueCode | keyof typeof REFUSALS;

/** Status, title and retryability per code. Every {@link IssueCode} is 400. */
export const PROBLEMS: Readonly<Record<ProblemCode, ProblemKind>> = {
  ...(Object.fromEntries(Object.entries(ISSUES).map(([code, title]) => [code, kind(400, title)])) as Record<IssueCode, ProblemKind>),
  ...REFUSALS,
};
export const PROBLEM_CODES = Object.keys(PROBLEMS) as readonly ProblemCode[];

/** Where each problem is explained; `budget_exceeded` is `…/budget-exceeded`. */
export const problemType = (code: ProblemCode): string => `https://bursar.dev/problems/${code.replaceAll('_', '-')}`;

/** One thing wrong with one field. Pointers are RFC 6901 and begin at the body; a query or header field is `/limit`. */
export const FieldError = z
  .object({ pointer: z.string(), message: z.string(), code: z.enum(ISSUE_CODES as [IssueCode, ...IssueCode[]]) })
  .meta({ id: 'FieldError' });
export type FieldError = z.infer<typeof FieldError>;

/** RFC 9457, `application/problem+json`. Codes that carry figures (402) add members of their own. */
export const Problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional(),
    code: z.enum(PROBLEM_CODES as [ProblemCode, ...ProblemCode[]]),
    retryable: z.boolean(),
    errors: z.array(FieldError).optional(),
    /** On a 503 that leaves it open whether the write happened. */
    outcome: z.literal('unknown').optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

/** A whole problem from its code. `members` are added as they are: `errors`, `instance`, the figures of a 402. */
export const makeProblem = (code: ProblemCode, detail: string, members: Readonly<Record<string, unknown>> = {}): Problem => {
  const { status, title, retryable } = PROBLEMS[code];
  return { type: problemType(code), title, status, detail, code, retryable, ...members };
};
