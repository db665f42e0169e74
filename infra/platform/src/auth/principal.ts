import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

export type Role = 'platform-admin' | 'tenant-admin' | 'producer' | 'reader' | 'auditor';

/** Who asks, and for which tenant. */
export type Principal = Readonly<{
  tenant: string;
  roles: readonly Role[];
  /** As events and the audit trail name it: `key:admin`. */
  actor: string;
  keyId: string;
  /** Requests a second; null has no limit. */
  requestsPerSecond: number | null;
}>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler runs; absent only on open paths (health). */
    principal: Principal | null;
    /** Of a POST that has one, and that is one (RELIABILITY IN-A23). */
    idempotencyKey: string | null;
    /** The body's bytes as received, for whoever signs or fingerprints them. */
    rawBody: Buffer | null;
  }
}

/** `@Caller() caller: Principal` in a Nest handler. */
export const Caller = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal => callerOf(context.switchToHttp().getRequest()),
);

export const callerOf = (request: FastifyRequest): Principal => {
  if (request.principal === null) throw new Error('a handler asked who calls on an open path');
  return request.principal;
};
