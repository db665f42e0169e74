import { createHmac, timingSafeEqual } from 'node:crypto';
import { isTenantId } from '@bursar/contracts';
import { Authenticator, actOn, bearerOf, Problem, TENANT_HEADER } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Who a LiteLLM proxy speaks for. `tenant` null: the installation, and each notice says which tenant it is about. */
export type LitellmCaller = Readonly<{ tenant: string | null; actor: string }>;

const SIGNATURE = /^sha256=([0-9a-f]{64})$/;
const BASIC = /^basic +([A-Za-z0-9+/=]{1,4096})$/i;
const TOKEN = /^([A-Za-z0-9_-]{1,64})\.([0-9a-f]{64})$/;

/**
 * Proves a request of LiteLLM's, which signs nothing and knows only a URL and headers: the installation's secret over the raw body
 * (`X-LiteLLM-Signature`), or a token, as `?token=`, password of basic auth or bearer: a tenant's own, or any key of this installation.
 * Everything is compared in constant time. Throws 401 `unauthenticated`; without a configured secret only keys are proof.
 */
@Injectable()
export class LitellmCredentials {
  constructor(
    private readonly secret: string | null,
    private readonly authenticator: Authenticator,
  ) {}

  async identify(request: FastifyRequest, token: string | undefined): Promise<LitellmCaller> {
    const signature = request.headers['x-litellm-signature'];
    if (signature !== undefined) {
      if (this.isSigned(String(signature), request.rawBody ?? Buffer.alloc(0))) return { tenant: null, actor: 'litellm:signature' };
      throw refused(this.secret === null ? 'No LITELLM_WEBHOOK_SECRET is configured.' : 'The signature does not match the body.');
    }
    const given = token ?? passwordOf(request.headers.authorization) ?? bearerOf(request.headers.authorization);
    const tenant = this.tenantOf(given ?? '');
    if (tenant !== null) return { tenant, actor: 'litellm:token' };
    const principal = await this.authenticator.authenticate(given ?? '');
    if (principal === null || given === null) throw refused('Neither a valid signature nor a valid token.');
    const { tenant: chosen, actor } = actOn(principal, request.headers[TENANT_HEADER]);
    return { tenant: chosen, actor };
  }

  private isSigned(header: string, body: Buffer): boolean {
    const expected = createHmac('sha256', this.secret ?? '')
      .update(body)
      .digest();
    const [, hex = ''] = SIGNATURE.exec(header.toLowerCase()) ?? [];
    const given = Buffer.from(hex.padEnd(64, '0'), 'hex');
    return timingSafeEqual(given, expected) && hex !== '' && this.secret !== null;
  }

  /** `<tenant>.<hex HMAC of "litellm:<tenant>">`: nothing is stored, and another secret makes all of them void. */
  private tenantOf(token: string): string | null {
    const [, tenant = '', hex = ''] = TOKEN.exec(token) ?? [];
    const expected = createHmac('sha256', this.secret ?? '')
      .update(`litellm:${tenant}`)
      .digest();
    const matches = timingSafeEqual(Buffer.from(hex.padEnd(64, '0'), 'hex'), expected);
    return matches && hex !== '' && this.secret !== null && isTenantId(tenant) ? tenant : null;
  }
}

const passwordOf = (header: string | undefined): string | null => {
  const [, encoded] = BASIC.exec(header ?? '') ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? null : text.slice(colon + 1);
};

const refused = (detail: string): Problem =>
  new Problem('unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer, Basic realm="bursar"' } });
