import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { isTenantId } from '@bursar/contracts';
import { Complaint } from '@bursar/contracts/http';
import { type AdminKey, bearerOf } from '../auth/authenticator.js';
import type { Principal } from '../auth/principal.js';
import { actOn, TENANT_HEADER } from '../auth/tenant.js';
import { Exchange, type ExchangeNeeds, type ShortRoute } from './exchange.js';
import { requestId } from './fastify-options.js';
import { readMediaType } from './media-type.js';
import { keyOf } from './request-hooks.js';

/** Larger bodies are no small calls. */
const LARGEST = 64 * 1024;

export type ShortGate = ExchangeNeeds &
  Readonly<{
    adminKey: AdminKey;
    /** The process is late, or stopping: the pipeline refuses, or says that an answer is the last of its connection. */
    isClosed: () => boolean;
    /** Bytes of one body. */
    bodyBytes: number;
  }>;

/**
 * Around Fastify and Nest, whose hooks, promises and wrappers cost a small call several times its work (ADR 0031). Takes what is plain and would be
 * let in, and leaves everything else untouched to the pipeline, which alone refuses before a body is read.
 */
export class ShortWay {
  private readonly routes: ReadonlyMap<string, ShortRoute>;
  private readonly largest: number;

  constructor(
    routes: readonly ShortRoute[],
    private readonly gate: ShortGate,
  ) {
    this.routes = new Map(routes.map((short) => [short.route.path, short]));
    this.largest = Math.min(LARGEST, gate.bodyBytes);
  }

  /** From now on what the server is asked comes here first. */
  install(server: Server): void {
    const pipeline = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      if (!this.take(request, response)) for (const listener of pipeline) listener.call(server, request, response);
    });
  }

  private take(request: IncomingMessage, response: ServerResponse): boolean {
    // With a query it is no longer this text.
    const short = this.routes.get(request.url ?? '');
    if (short === undefined || request.method !== short.route.method || this.gate.isClosed()) return false;
    const { headers } = request;
    const bytes = plainLength(headers);
    const caller = this.callerOf(headers);
    const key = keyOf(headers);
    if (bytes === null || bytes > this.largest || caller === null || key instanceof Complaint || !this.gate.bodyBudget.hold(bytes))
      return false;
    new Exchange(request, response, { id: requestId(request), bytes, short, caller, idempotencyKey: key }, this.gate).begin();
    return true;
  }

  private callerOf({ authorization, [TENANT_HEADER]: tenant }: IncomingHttpHeaders): Principal | null {
    const credential = bearerOf(authorization);
    const principal = credential === null ? null : this.gate.adminKey.authenticate(credential);
    return principal === null || !(tenant === undefined || isTenantId(tenant)) ? null : actOn(principal, tenant);
  }
}

/** Of a JSON body that comes as it is and says its length; null for every other, and for none. */
const plainLength = (headers: IncomingHttpHeaders): number | null => {
  const { 'content-type': type, 'content-length': length, 'content-encoding': encoding, 'transfer-encoding': transfer } = headers;
  if (encoding !== undefined || transfer !== undefined || length === undefined || !/^[1-9][0-9]{0,6}$/.test(length)) return null;
  return type === 'application/json' || readMediaType(type) === 'application/json' ? Number(length) : null;
};
