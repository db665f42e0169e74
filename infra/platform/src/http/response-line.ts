import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerLine, Exchange, WholeAnswer } from './exchange.js';
import { noteAnswered } from './transport-errors.js';

/** A request that node's `http` has read up to its body, and its answer. */
export class ResponseLine implements AnswerLine {
  private body: Buffer | null = null;

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {}

  /** `bytes`: of the body. Node lets through as many as were announced, and ends those that send fewer. */
  carry(exchange: Exchange, bytes: number): void {
    exchange.hurry();
    // Also where the client is gone before it is answered.
    this.response.on('close', () => {
      if (this.response.writableFinished) noteAnswered(this.request.socket);
      exchange.end(this.response.writableFinished);
    });
    this.request.on('data', (chunk: Buffer) => {
      this.body = this.body === null ? chunk : Buffer.concat([this.body, chunk]);
      if (this.body.length === bytes) exchange.take(this.body);
    });
  }

  isOpen(): boolean {
    return !this.response.destroyed;
  }

  write({ status, headers, body, length }: WholeAnswer): void {
    const lines: string[] = [];
    for (const some of headers) for (const name in some) lines.push(name, some[name] as string);
    if (length !== null) lines.push('content-length', String(length));
    this.response.writeHead(status, lines);
    this.response.end(body);
  }
}
