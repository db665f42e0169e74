/** An endpoint as NATS services discovery shows it (ADR-32). */
export type EndpointOptions = Readonly<{
  /** Its name in the service: letters, digits, `-`, `_`. */
  name: string;
  /** Replicas that answer share it: each request goes to one of them. */
  queue: string;
  /** Its operation in the AsyncAPI document, which says what may be sent and what comes back. */
  operation: string;
}>;

const NS_PER_MS = 1_000_000;

/** An endpoint with what it has answered since it began, durations in nanoseconds. */
export class Endpoint {
  #requests = 0;
  #errors = 0;
  #lastError = '';
  #ns = 0;

  /** `document`: the URL of the AsyncAPI document. */
  constructor(
    readonly subject: string,
    private readonly options: EndpointOptions,
    private readonly document: string,
  ) {}

  get queue(): string {
    return this.options.queue;
  }

  /** `error`: what the requester was told instead of an answer; null for an answer. */
  count(durationMs: number, error: string | null): void {
    this.#requests += 1;
    this.#ns += Math.round(durationMs * NS_PER_MS);
    if (error === null) return;
    this.#errors += 1;
    this.#lastError = error;
  }

  info(): object {
    const { name, queue, operation } = this.options;
    return { name, subject: this.subject, queue_group: queue, metadata: { schema: `${this.document}#/operations/${operation}` } };
  }

  stats(): object {
    const { name, queue } = this.options;
    return {
      name,
      subject: this.subject,
      queue_group: queue,
      num_requests: this.#requests,
      num_errors: this.#errors,
      last_error: this.#lastError,
      processing_time: this.#ns,
      average_processing_time: this.#requests === 0 ? 0 : Math.round(this.#ns / this.#requests),
    };
  }
}
