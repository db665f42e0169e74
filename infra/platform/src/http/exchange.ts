import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
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
import { noteAnswered } from './transport-errors.js';

/** A request as its handler sees it: admitted, its body read by the row of the contract's table. */
export type ShortRequest = Readonly<{
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
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
type Admitted = Readonly<{ id: string; bytes: number; short: ShortRoute; caller: Principal; idempotencyKey: string | null }>;

const BODILESS = new Set([204, 304]);

/** One request on the short way, from its headers to the last byte of its answer. */
export class Exchange {
  private readonly trace: Trace | null;
  private readonly startedAt = performance.now();
  private body: Buffer | null = null;
  private isAnswered = false;

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly admitted: Admitted,
    private readonly needs: ExchangeNeeds,
  ) {
    this.trace = traceOfRequest(request);
  }

  begin(): void {
    this.needs.deadlines.begin(this);
    // Also where the client is gone before it is answered.
    this.response.on('close', () => this.end());
    this.request.on('data', (chunk: Buffer) => this.receive(chunk));
  }

  /** Answers the error as a problem, unless there is an answer. `closes`: what follows on the connection is not to be trusted. */
  fail(error: unknown, closes = false): void {
    const { id } = this.admitted;
    const { status, headers, body } = problemAnswer(this.needs.problemOf(error, { id, trace: this.trace }), id);
    this.send({ status, headers: closes ? { ...headers, connection: 'close' } : headers, body });
  }

  private receive(chunk: Buffer): void {
    this.body = this.body === null ? chunk : Buffer.concat([this.body, chunk]);
    // Node lets through as many bytes as were announced, and ends those that send fewer.
    if (this.body.length === this.admitted.bytes) this.read(this.body);
  }

  private read(rawBody: Buffer): void {
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
      if (answer instanceof Promise) answer.then((later) => this.send(later)).catch((error) => this.fail(error));
      else this.send(answer);
    } catch (error) {
      this.fail(error);
    }
  }

  private handle(rawBody: Buffer, sent: unknown): KeptAnswer | Promise<KeptAnswer> {
    const { short, caller, idempotencyKey } = this.admitted;
    const { method = '', url = '', headers } = this.request;
    return short.answer({ method, url, headers, rawBody, body: readBody(short.route, sent), caller, idempotencyKey });
  }

  private send({ status, headers, body }: KeptAnswer): void {
    // Its time was over, or its client is gone.
    if (this.isAnswered || this.response.destroyed) return;
    this.isAnswered = true;
    const lines: string[] = [];
    for (const said of [alwaysSaid(this.admitted.id), headers]) for (const name in said) lines.push(name, said[name] as string);
    if (!BODILESS.has(status)) lines.push('content-length', String(Buffer.byteLength(body)));
    this.response.writeHead(status, lines);
    this.response.end(body);
  }

  private end(): void {
    const { bytes, short } = this.admitted;
    this.needs.deadlines.end(this);
    this.needs.bodyBudget.release(bytes);
    if (!this.response.writableFinished) return;
    noteAnswered(this.request.socket);
    this.needs.observe(short.route.method, short.route.path, this.response.statusCode, (performance.now() - this.startedAt) / 1_000);
  }
}
