import type { IncomingHttpHeaders } from 'node:http';
import { isTenantId } from '@bursar/contracts';
import { Complaint } from '@bursar/contracts/http';
import { type AdminKey, bearerOf } from '../auth/authenticator.js';
import { actOn, TENANT_HEADER } from '../auth/tenant.js';
import type { BodyBudget } from './body-budget.js';
import type { Admitted, RequestHead, ShortRoute } from './exchange.js';
import { requestId } from './fastify-options.js';
import { readMediaType } from './media-type.js';
import { readPlainHead } from './plain-head.js';
import { keyOf } from './request-hooks.js';

/** Larger bodies are no small calls. */
const LARGEST = 64 * 1024;

export type ShortGateNeeds = Readonly<{
  adminKey: AdminKey;
  /** The process is late, or stopping: the pipeline refuses, or says that an answer is the last of its connection. */
  isClosed: () => boolean;
  /** Bytes of one body. */
  bodyBytes: number;
  bodyBudget: BodyBudget;
}>;

/** What a head asks for, the same each time it is sent. */
export type ShortHead = RequestHead &
  Readonly<{ bytes: number; short: ShortRoute; credential: string; tenant: string | undefined; idempotencyKey: string | null }>;

/** Lets in what is plain and would be let in by the pipeline; everything else is its to answer or to refuse. */
export class ShortGate {
  private readonly routes: ReadonlyMap<string, ShortRoute>;
  private readonly largest: number;

  constructor(
    routes: readonly ShortRoute[],
    private readonly needs: ShortGateNeeds,
  ) {
    this.routes = new Map(routes.map((short) => [short.route.path, short]));
    this.largest = Math.min(LARGEST, needs.bodyBytes);
  }

  readText(text: string): ShortHead | null {
    const head = readPlainHead(text);
    return head === null ? null : this.read(head);
  }

  /** null: not by the short way. */
  read({ method, url, headers }: RequestHead): ShortHead | null {
    // With a query it is no longer this text.
    const short = this.routes.get(url);
    if (short === undefined || method !== short.route.method) return null;
    const bytes = plainLength(headers);
    const credential = bearerOf(headers.authorization);
    const tenant = headers[TENANT_HEADER];
    const idempotencyKey = keyOf(headers);
    if (bytes === null || bytes > this.largest || credential === null || idempotencyKey instanceof Complaint) return null;
    if (!(tenant === undefined || isTenantId(tenant))) return null;
    return { method, url, headers, bytes, short, credential, tenant, idempotencyKey };
  }

  /** Of each request anew: the credential, and room for its body, which is held from here. null: not by the short way. */
  admit(head: ShortHead): Admitted | null {
    if (this.needs.isClosed()) return null;
    const { bytes, short, tenant, idempotencyKey } = head;
    const principal = this.needs.adminKey.authenticate(head.credential);
    if (principal === null || !this.needs.bodyBudget.hold(bytes)) return null;
    return { id: requestId(head), head, bytes, short, caller: actOn(principal, tenant), idempotencyKey };
  }
}

/** Of a JSON body that comes as it is and says its length; null for every other, and for none. */
const plainLength = (headers: IncomingHttpHeaders): number | null => {
  const { 'content-type': type, 'content-length': length, 'content-encoding': encoding, 'transfer-encoding': transfer } = headers;
  if (encoding !== undefined || transfer !== undefined || length === undefined || !/^[1-9][0-9]{0,6}$/.test(length)) return null;
  return type === 'application/json' || readMediaType(type) === 'application/json' ? Number(length) : null;
};
