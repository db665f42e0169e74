import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Deadlines } from './deadlines.js';
import { Exchange, type ExchangeNeeds } from './exchange.js';
import { Outbox } from './outbox.js';
import { PlainConnection, type PlainNeeds } from './plain-connection.js';
import { ResponseLine } from './response-line.js';
import type { ShortGate } from './short-gate.js';

/** A request that is sent in one go is there by then, and the next one of a connection that has just begun. */
const PATIENCE_MS = 250;

/**
 * Around Fastify and Nest, and where a connection says nothing else around node's `http`: their hooks, promises and wrappers cost a small call several
 * times its work (ADR 0031). Takes what the gate lets in, and leaves everything else untouched to the pipeline, which alone refuses before a body is read.
 */
export class ShortWay {
  private readonly plain = new Set<PlainConnection>();
  private readonly patience = new Deadlines<PlainConnection>(PATIENCE_MS, (connection) => connection.giveUp());

  constructor(
    private readonly gate: ShortGate,
    private readonly needs: ExchangeNeeds & Pick<PlainNeeds, 'keepAliveMs'>,
  ) {}

  /** From now on who connects, and what the server is asked, comes here first. */
  install(server: Server): void {
    const pipeline = taken<[IncomingMessage, ServerResponse]>(server, 'request');
    server.on('request', (request, response) => {
      if (!this.take(request, response)) pipeline(request, response);
    });
    const handOver = taken<[Socket]>(server, 'connection');
    const needs: PlainNeeds = {
      ...this.needs,
      gate: this.gate,
      outbox: new Outbox(),
      patience: this.patience,
      handOver,
      left: (connection) => this.plain.delete(connection),
    };
    server.on('connection', (socket) => this.plain.add(new PlainConnection(socket, needs)));
  }

  /** The server knows only those that were handed over. */
  closeIdleConnections(): void {
    for (const connection of this.plain) connection.closeIfIdle();
  }

  closeAllConnections(): void {
    for (const connection of this.plain) connection.close();
  }

  close(): void {
    this.patience.close();
  }

  private take(request: IncomingMessage, response: ServerResponse): boolean {
    const { method = '', url = '', headers } = request;
    const head = this.gate.read({ method, url, headers });
    const admitted = head === null ? null : this.gate.admit(head);
    if (admitted === null) return false;
    const line = new ResponseLine(request, response);
    line.carry(new Exchange(line, admitted, this.needs), admitted.bytes);
    return true;
  }
}

/** Those who listen by now hear of nothing but what they are told by the function. */
const taken = <T extends readonly unknown[]>(server: Server, event: string): ((...args: T) => void) => {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  return (...args) => {
    for (const listener of listeners) listener.apply(server, args);
  };
};
