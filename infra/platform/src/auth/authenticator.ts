import { hash, timingSafeEqual } from 'node:crypto';
import type { Principal } from './principal.js';

/** Turns a bearer credential into a principal; null means it is not valid. API keys and JWTs become further implementations. */
export abstract class Authenticator {
  abstract authenticate(credential: string): Principal | null | Promise<Principal | null>;
}

const ADMIN: Principal = { tenant: 'default', roles: ['platform-admin'], actor: 'key:admin', keyId: 'admin', requestsPerSecond: null };

/** The embedded admin key: a platform admin of tenant `default`, without a rate limit. */
export class AdminKey extends Authenticator {
  private readonly digest: Buffer;

  constructor(key: string) {
    super();
    this.digest = hash('sha256', key, 'buffer');
  }

  authenticate(credential: string): Principal | null {
    // Digests have one length, which timingSafeEqual asks for, and tell nothing about the key's.
    return timingSafeEqual(hash('sha256', credential, 'buffer'), this.digest) ? ADMIN : null;
  }
}

const MAX_CREDENTIAL = 8_192;
const BEARER = /^bearer +([!-~]+)$/i;

/** The credential of an `Authorization: Bearer …` header; null when there is none to try. */
export const bearerOf = (header: string | undefined): string | null => {
  if (header === undefined || header.length > MAX_CREDENTIAL) return null;
  return BEARER.exec(header)?.[1] ?? null;
};
