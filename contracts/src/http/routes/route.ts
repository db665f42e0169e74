import { z } from 'zod';
import { NoQuery } from '../fields/query.js';
import { plainText } from '../fields/text.js';

export type Service = 'ingestion' | 'api' | 'budget-projector' | 'alerting';
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One answer of a call. Problems are understood: every route may answer one. */
export type RouteResponse = Readonly<{ description: string; schema?: z.ZodType; contentType?: string }>;

/**
 * One endpoint, complete: what validates its requests, what documents it, and who answers it. A service registers every route that is
 * its own; one that is not built validates like the others and then answers 501.
 */
export type Route = Readonly<{
  operationId: string;
  method: Method;
  /** With `:name` for parameters, as Fastify writes it. */
  path: string;
  summary: string;
  tag: string;
  service: Service;
  built: boolean;
  params: z.ZodType;
  query: z.ZodType;
  /** Absent: the call takes no body. */
  body?: z.ZodType;
  /** What `body` makes of a value, without zod: undefined for whatever it does not accept, and `body` then says why. For calls that come by thousands. */
  readBodyFast?: (value: unknown) => unknown;
  /** An absent body is an empty object. */
  bodyOptional: boolean;
  contentTypes: readonly string[];
  /** What it changes has an ETag, which `If-Match` may name. A PUT, PATCH or DELETE of anything else that names a version is refused. */
  isVersioned: boolean;
  /** The owner answers it from memory, of the moment: no answer is kept for an Idempotency-Key. */
  isQuestion: boolean;
  /** `own`: the handler proves who calls, from the body's bytes as received; no bearer credential is asked for. */
  access: 'bearer' | 'own';
  /** Largest body, where it is not the usual 4 MB. */
  bodyBytes?: number;
  /** For the document: what the body is under a content type that is not like `body`. */
  otherBodies?: Readonly<Record<string, z.ZodType>>;
  responses: Readonly<Record<number, RouteResponse>>;
}>;

/** What a table row has to say; the rest has its usual value. */
export type RouteRow = Readonly<
  Pick<Route, 'operationId' | 'method' | 'path' | 'summary'> & Partial<Omit<Route, 'operationId' | 'method' | 'path' | 'summary'>>
>;

const JSON_ONLY = ['application/json'];

/** Rows of one tag, answered by one service. */
export const routes = (tag: string, service: Service, rows: readonly RouteRow[]): readonly Route[] =>
  rows.map((row) => ({
    tag,
    service,
    built: false,
    params: paramsOf(row.path),
    query: NoQuery,
    bodyOptional: false,
    contentTypes: JSON_ONLY,
    isVersioned: false,
    isQuestion: false,
    access: 'bearer',
    responses: { [row.method === 'POST' ? 201 : 200]: { description: 'Done' } },
    ...row,
  }));

/** Ids in a path are text: one that nothing has is 404, not 400. */
const MAX_ID = 256;

const paramsOf = (path: string): z.ZodType =>
  z.strictObject(Object.fromEntries([...path.matchAll(/:([A-Za-z]+)/g)].map(([, name = '']) => [name, plainText(MAX_ID)])));

/** `/api/v1` before the paths of a table. */
export const API = '/api/v1';
