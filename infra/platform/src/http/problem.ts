import { type FieldError, PROBLEMS, type ProblemCode, problemType } from '@bursar/contracts/http';

export type ProblemOptions = Readonly<{
  errors?: readonly FieldError[];
  /** Members beside the standard ones: `budgetId`, `outcome`, … */
  extensions?: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string>>;
  /** Seconds of `Retry-After`. Every 429 and 503 has one: 1 when nothing is said. */
  retryAfter?: number;
  cause?: unknown;
}>;

/** Whether the write happened is for the client to find out, by sending it again (API.md, Errors). */
const OPEN_OUTCOME: ReadonlySet<ProblemCode> = new Set(['store_unavailable', 'upstream_unavailable', 'outcome_unknown', 'timed_out']);

const FAULT = 500;

/** A refusal with a code of the closed union; whatever else is thrown is a fault and answers 500. The filter renders it (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The same request may succeed later without being changed. */
  readonly retryable: boolean;

  constructor(
    readonly code: ProblemCode,
    /** One sentence about this occurrence. Never holds more than 64 characters of what the client sent. */
    readonly detail: string = PROBLEMS[code].title,
    readonly options: ProblemOptions = {},
  ) {
    const limit = Error.stackTraceLimit;
    // An answer and no fault: nobody reads where it was made, and finding that out takes as long as a decision.
    if (PROBLEMS[code].status < FAULT) Error.stackTraceLimit = 0;
    super(detail, { cause: options.cause });
    Error.stackTraceLimit = limit;
    this.status = PROBLEMS[code].status;
    this.retryable = PROBLEMS[code].retryable;
    const retryAfter = options.retryAfter ?? (this.status === 503 || this.status === 429 ? 1 : undefined);
    this.headers = { ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }), ...options.headers };
  }

  /** The document to send; `instance` names this one request. */
  toDocument(requestId: string): Record<string, unknown> {
    return {
      type: problemType(this.code),
      title: PROBLEMS[this.code].title,
      status: this.status,
      detail: this.detail,
      instance: `urn:bursar:request:${requestId}`,
      code: this.code,
      retryable: this.retryable,
      ...(this.options.errors !== undefined && { errors: this.options.errors }),
      ...(OPEN_OUTCOME.has(this.code) && { outcome: 'unknown' }),
      ...this.options.extensions,
    };
  }
}
