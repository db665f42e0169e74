import type { z } from 'zod';
import { Components } from './components.js';
import { EventMoney } from './fields/amount.js';
import { scopeRef } from './fields/scope.js';
import { QuantityCondition } from './prices/price-list.js';
import { Problem } from './problem.js';
import type { Route } from './routes/route.js';

type Json = Readonly<Record<string, unknown>>;

/** Named by a `$ref` of a reader's own keywords, so no schema leads to them. */
const NAMED_BY_KEYWORDS = [EventMoney, scopeRef, QuantityCondition];

const PROBLEM = 'application/problem+json';

/** Headers a call may carry, as components. */
const PARAMETERS = {
  Tenant: header('Bursar-Tenant', 'Act on this tenant (platform administrators)', { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' }),
  Prefer: header('Prefer', '`wait=N`: wait up to N ≤ 10 seconds for minPosition', { type: 'string' }),
  IdempotencyKey: header('Idempotency-Key', 'The same key and body within 24 h is one request', {
    type: 'string',
    minLength: 1,
    maxLength: 255,
  }),
  IfMatch: header('If-Match', 'The ETag of the version to change; 412 when it is another', { type: 'string' }),
};

/** The OpenAPI 3.1 document of a table of routes. Pure; the same table, the same text. */
export const openApiDocument = (routes: readonly Route[]): Json => {
  const components = new Components();
  for (const schema of NAMED_BY_KEYWORDS) components.add(schema, 'input');
  components.add(Problem, 'output');
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bursar',
      version: '1',
      summary: 'How much may this scope still spend, right now?',
      description: 'Amounts are decimal strings. Errors are RFC 9457 problems; `code` is stable. What is not built yet answers 501.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components.sorted(),
      parameters: PARAMETERS,
      responses: { Problem: { description: 'A problem', content: { [PROBLEM]: { schema: ref('Problem') } } } },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key or a JWT' },
        basic: { type: 'http', scheme: 'basic', description: 'The token as the password; also as `?token=`' },
        signature: {
          type: 'apiKey',
          in: 'header',
          name: 'X-LiteLLM-Signature',
          description: '`sha256=` and the hex HMAC-SHA256 of the body',
        },
      },
    },
  };
};

const operation = (route: Route, components: Components): Json => ({
  operationId: route.operationId,
  summary: route.summary,
  tags: [route.tag],
  ...(!route.built && { 'x-built': false }),
  ...(route.access === 'own' && { security: [{ signature: [] }, { basic: [] }, { bearer: [] }, {}] }),
  parameters: [
    ...fields(route.params, 'path', components),
    ...fields(route.query, 'query', components),
    ...headersOf(route).map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ],
  ...(route.body && { requestBody: requestBody(route, route.body, components) }),
  responses: {
    ...Object.fromEntries(Object.entries(route.responses).map(([status, response]) => [status, answer(response, components)])),
    ...(!route.built && { 501: { $ref: '#/components/responses/Problem' } }),
    default: { $ref: '#/components/responses/Problem' },
  },
});

const requestBody = (route: Route, body: z.ZodType, components: Components): Json => ({
  required: !route.bodyOptional,
  content: Object.fromEntries(
    route.contentTypes.map((type) => [type, { schema: components.add(route.otherBodies?.[type] ?? body, 'input') }]),
  ),
});

const answer = ({ description, schema, contentType = 'application/json' }: Route['responses'][number], components: Components): Json => ({
  description,
  ...((schema !== undefined || contentType !== 'application/json') && {
    content: { [contentType]: { schema: schema === undefined ? { type: 'string' } : components.add(schema, 'output') } },
  }),
});

const headersOf = ({ method, isVersioned, isQuestion }: Route): readonly (keyof typeof PARAMETERS)[] => [
  'Tenant',
  ...(method === 'GET' ? (['Prefer'] as const) : []),
  ...(method === 'POST' && !isQuestion ? (['IdempotencyKey'] as const) : []),
  ...(isVersioned ? (['IfMatch'] as const) : []),
];

/** The properties of a flat object as parameters. */
const fields = (schema: z.ZodType, place: 'path' | 'query', components: Components): readonly Json[] => {
  const { properties = {}, required = [] } = components.add(schema, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    ...(place === 'path' ? { required: true } : required.includes(name) && { required: true }),
    ...(description !== undefined && { description }),
    schema: rest,
  }));
};

function header(name: string, description: string, schema: Json): Json {
  return { name, in: 'header', description, schema };
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
