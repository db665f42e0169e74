import { createHmac, timingSafeEqual } from 'node:crypto';
import { isTenantId } from '@bursar/contracts';
import { Authenticator, actOn, bearerOf, Problem, readForeignJson, TENANT_HEADER } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { fieldsOf } from '../../domain/litellm/fields.js';
import { tenantOfNotice } from '../../domain/litellm/read-notice.js';

/** Who a LiteLLM proxy speaks for. `tenant` null: the installation, and each notice says which tenant it is about. */
export type LitellmCaller = Readonly<{ tenant: string | null; actor: string }>;

/** What tenants set for their own proxies; an answer may be some seconds old. */
export abstract class LitellmSecrets {
  /** Whose token it is; null: nobody's. */
  abstract tenantOf(token: string): Promise<string | null>;
  /** What the tenant's notices are signed with; null: it set nothing. */
  abstract secretOf(tenant: string): Promise<string | null>;
}

const SIGNATURE = /^sha256=([0-9a-f]{64})$/;
const BASIC = /^basic +([A-Za-z0-9+/=]{1,4096})$/i;
const TOKEN = /^([A-Za-z0-9_-]{1,64})\.([0-9a-f]{64})$/;

/**
 * Proves a request of LiteLLM's, which signs nothing and knows only a URL and headers: a secret over the raw body
 * (`X-LiteLLM-Signature`), the installation's or the tenant's; or a token, as `?token=`, password of basic auth or bearer: one that the
 * tenant set, the one that follows from the installation's secret, or any key of this installation. Everything is compared in constant
 * time or by digest. Throws 401 `unauthenticated`.
 */
@Injectable()
export class LitellmCredentials {
  constructor(
    private readonly secret: string | null,
    private readonly authenticator: Authenticator,
    private readonly secrets: LitellmSecrets,
  ) {}

  async identify(request: FastifyRequest, token: string | undefined): Promise<LitellmCaller> {
    const signature = request.headers['x-litellm-signature'];
    if (signature !== undefined) return this.#bySignature(String(signature), request);
    const given = token ?? passwordOf(request.headers.authorization) ?? bearerOf(request.headers.authorization);
    const tenant = this.#derivedTenant(given ?? '') ?? (given === null ? null : await this.secrets.tenantOf(given));
    if (tenant !== null) return { tenant, actor: 'litellm:token' };
    const principal = await this.authenticator.authenticate(given ?? '');
    if (principal === null || given === null) throw refused('Neither a valid signature nor a valid token.');
    const { tenant: chosen, actor } = actOn(principal, request.headers[TENANT_HEADER]);
    return { tenant: chosen, actor };
  }

  async #bySignature(signature: string, request: FastifyRequest): Promise<LitellmCaller> {
    const body = request.rawBody ?? Buffer.alloc(0);
    if (isSigned(signature, body, this.secret)) return { tenant: null, actor: 'litellm:signature' };
    const tenant = claimedTenant(request, body);
    const own = tenant === null ? null : await this.secrets.secretOf(tenant);
    if (isSigned(signature, body, own)) return { tenant, actor: 'litellm:signature' };
    throw refused('The signature is not one of this body, or no secret is configured.');
  }

  /** `<tenant>.<hex HMAC of "litellm:<tenant>">`: nothing is stored, and another secret makes all of them void. */
  #derivedTenant(token: string): string | null {
    const [, tenant = '', hex = ''] = TOKEN.exec(token) ?? [];
    const expected = createHmac('sha256', this.secret ?? '')
      .update(`litellm:${tenant}`)
      .digest();
    const matches = timingSafeEqual(Buffer.from(hex.padEnd(64, '0'), 'hex'), expected);
    return matches && hex !== '' && this.secret !== null && isTenantId(tenant) ? tenant : null;
  }
}

/** Compared even where there is nothing to compare with, so that it takes as long. */
const isSigned = (header: string, body: Buffer, secret: string | null): boolean => {
  const expected = createHmac('sha256', secret ?? '')
    .update(body)
    .digest();
  const [, hex = ''] = SIGNATURE.exec(header.toLowerCase()) ?? [];
  return timingSafeEqual(Buffer.from(hex.padEnd(64, '0'), 'hex'), expected) && hex !== '' && secret !== null;
};

/** Whose secret it is to be compared with: nothing is believed of it before that. */
const claimedTenant = (request: FastifyRequest, body: Buffer): string | null => {
  const header = request.headers[TENANT_HEADER];
  if (header !== undefined) return isTenantId(header) ? header : null;
  try {
    return tenantOfNotice(fieldsOf(readForeignJson(body)));
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
};

const passwordOf = (header: string | undefined): string | null => {
  const [, encoded] = BASIC.exec(header ?? '') ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? null : text.slice(colon + 1);
};

const refused = (detail: string): Problem =>
  new Problem('unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer, Basic realm="bursar"' } });
