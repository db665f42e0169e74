import type { IncomingHttpHeaders } from 'node:http';
import type { Trace } from '@bursar/contracts';
import type { Route } from '@bursar/contracts/http';
import type { KeptAnswer } from '@bursar/database';
import type { Principal } from '../auth/principal.js';
import { readJson } from '../json/read-json.js';
import { traceOfRequest } from '../trace/continue-trace.js';
import { inTrace } from '../trace/trace-scope.js';
import type { BodyBudget } from './body-budget.js';
import { readBody } from './contract-routes.js';
import type { Deadlines } from './deadlines.js';
import type { Problem } from './problem.js';
import { alwaysSaid } from './request-hooks.js';
import { problemAnswer } from './to-problem.js';

/** A request line and the headers, names in lower case. */
export type RequestHead = Readonly<{ method: string; url: string; headers: IncomingHttpHeaders }>;

/** A request as its handler sees it: admitted, its body read by the row of the contract's table. */
export type ShortRequest = RequestHead &
  Readonly<{
    /** As received. */
    rawBody: Buffer;
    body: unknown;
    caller: Principal;
    idempotencyKey: string | null;
  }>;

/** A call that comes by thousands a second. It has a controller as well, which answers the same: whatever is out of the ordinary goes there. */
export type ShortRoute = Readonly<{ route: Route; answer: (request: ShortRequest) => KeptAnswer | Promise<KeptAnswer> }>;

/** What a request holds, what it is told, and who is told of its answer. */
export type ExchangeNeeds = Readonly<{
  bodyBudget: BodyBudget;
  deadlines: Deadlines<Exchange>;
  problemOf: (error: unknown, request: Readonly<{ id: string; trace: Trace | null }>) => Problem;
  /** Of every answer that went out whole. */
  observe: (method: string, route: string, status: number, seconds: number) => void;
}>;

/** Of a request that was let in; its bytes are held already. */
export type Admitted = Readonly<{
  id: string;
  head: RequestHead;
  bytes: number;
  short: ShortRoute;
  caller: Principal;
  idempotencyKey: string | null;
}>;

/** An answer with all its headers, of the handler and of everything that is answered. */
export type WholeAnswer = Readonly<{
  status: number;
  /** One after the other, not made into one: that took as long as reading the request. */
  headers: readonly Readonly<Record<string, string>>[];
  body: string;
  /** In bytes, where it is said. */
  length: number | null;
}>;

/** Where the answer of one request goes. */
export type AnswerLine = Readonly<{
  /** Whoever asked is there to be answered. */
  isOpen: () => boolean;
  /**
   * In one go, with what is said of the connection. The exchange's `end` is called when the last byte is out, or the connection is gone. Throws where a
   * header holds what it may not, and then nothing goes out.
   */
  write: (answer: WholeAnswer) => void;
}>;

const BODILESS = new Set([204, 304]);

/** One request on the short way, from its headers to the last byte of its answer. */
export class Exchange {
  private readonly trace: Trace | null;
  private readonly startedAt = performance.now();
  private status: number | null = null;
  private isHurried = false;
  private isOver = false;

  constructor(
    private readonly line: AnswerLine,
    private readonly admitted: Admitted,
    private readonly needs: ExchangeNeeds,
  ) {
    this.trace = traceOfRequest(admitted.head);
  }

  /** Answers the body, all of it: at once, if the handler does. */
  take(rawBody: Buffer): void {
    let sent: unknown;
    try {
      sent = readJson(rawBody);
    } catch (error) {
      // As Fastify does it.
      this.fail(error, true);
      return;
    }
    try {
      const answer = inTrace(this.trace, () => this.handle(rawBody, sent));
      if (answer instanceof Promise) this.sendLater(answer);
      else this.send(answer);
    } catch (error) {
      this.fail(error);
    }
  }

  /** From now on it is answered in time, by whatever the deadline says where nothing else does. */
  hurry(): void {
    if (this.isHurried) return;
    this.isHurried = true;
    this.needs.deadlines.begin(this);
  }

  /** Answers the error as a problem, unless there is an answer. `closes`: what follows on the connection is not to be trusted. */
  fail(error: unknown, closes = false): void {
    const { id } = this.admitted;
    const { status, headers, body } = problemAnswer(this.needs.problemOf(error, { id, trace: this.trace }), id);
    this.send({ status, headers: closes ? { ...headers, connection: 'close' } : headers, body });
  }

  /** The last byte of the answer is out, or nobody is there to get it. */
  end(isWhole: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    const { bytes, short } = this.admitted;
    if (this.isHurried) this.needs.deadlines.end(this);
    this.needs.bodyBudget.release(bytes);
    if (!isWhole || this.status === null) return;
    this.needs.observe(short.route.method, short.route.path, this.status, (performance.now() - this.startedAt) / 1_000);
  }

  private handle(rawBody: Buffer, sent: unknown): KeptAnswer | Promise<KeptAnswer> {
    const { head, short, caller, idempotencyKey } = this.admitted;
    const { method, url, headers } = head;
    return short.answer({ method, url, headers, rawBody, body: readBody(short.route, sent), caller, idempotencyKey });
  }

  private sendLater(answer: Promise<KeptAnswer>): void {
    this.hurry();
    answer.then((later) => this.send(later)).catch((error) => this.fail(error));
  }

  private send({ status, headers, body }: KeptAnswer): void {
    // Its time was over, or its client is gone.
    if (this.status !== null || !this.line.isOpen()) return;
    const length = BODILESS.has(status) ? null : Buffer.byteLength(body);
    this.line.write({ status, headers: [alwaysSaid(this.admitted.id), headers], body, length });
    this.status = status;
  }
}
