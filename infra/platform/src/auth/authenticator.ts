import { timingSafeEqual } from 'node:crypto';
import type { Principal } from './principal.js';

/** Turns a bearer credential into a principal; null means it is not valid. API keys and JWTs become further implementations. */
export abstract class Authenticator {
  abstract authenticate(credential: string): Principal | null | Promise<Principal | null>;
}

const ADMIN: Principal = { tenant: 'default', roles: ['platform-admin'], actor: 'key:admin', keyId: 'admin', requestsPerSecond: null };

/** Credentials are compared in so many bytes, whatever length they have. */
const COMPARED = 512;
/** A character of UTF-8 that is cut off is not written at all. */
const LONGEST_CHARACTER = 4;

/** The embedded admin key: a platform admin of tenant `default`, without a rate limit. */
export class AdminKey extends Authenticator {
  private readonly length: number;
  private readonly key: Buffer;
  private readonly given: Buffer;

  constructor(key: string) {
    super();
    this.length = Buffer.byteLength(key);
    this.key = Buffer.alloc(Math.max(COMPARED, this.length + LONGEST_CHARACTER));
    this.given = Buffer.alloc(this.key.length);
    this.key.write(key);
  }

  authenticate(credential: string): Principal | null {
    // Padded to one length, which timingSafeEqual asks for: the time tells nothing about the key's, and a digest would cost ten times as much.
    const length = this.given.write(credential);
    this.given.fill(0, length);
    const isSame = timingSafeEqual(this.given, this.key);
    return isSame && length === this.length ? ADMIN : null;
  }
}

const MAX_CREDENTIAL = 8_192;
const BEARER = /^bearer +([!-~]+)$/i;

/** The credential of an `Authorization: Bearer …` header; null when there is none to try. */
export const bearerOf = (header: string | undefined): string | null => {
  if (header === undefined || header.length > MAX_CREDENTIAL) return null;
  return BEARER.exec(header)?.[1] ?? null;
};
