import { readFileSync } from 'node:fs';
import { type Authenticator, bearerOf, Problem } from '@bursar/platform';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const PREFIXES = ['', '/api/v1'];
const ASSETS = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' } as const;
const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Bursar API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="api"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
`;
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null });\n`;
/** Everything comes from here: no other host, no inline script. Swagger UI draws its icons as data: images and styles inline. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";

type Document = Readonly<{ path: string; type: string; content: string | Buffer }>;

/**
 * The OpenAPI document with a page to read it on, and the AsyncAPI document. They ask for the key like all else, but a browser cannot
 * send a bearer token by itself, so here the key is taken as the password of basic authentication too.
 */
export class Docs {
  readonly #documents: readonly Document[] = documents();

  /** For the gate, which would refuse a browser: these paths authenticate here. */
  get paths(): readonly string[] {
    return this.#documents.map(({ path }) => path);
  }

  register(fastify: FastifyInstance, authenticator: Authenticator): void {
    for (const { path, type, content } of this.#documents) {
      fastify.get(path, async (request, reply) => {
        await requireKey(request, authenticator);
        return reply.header('content-security-policy', POLICY).type(`${type}; charset=utf-8`).send(content);
      });
    }
  }
}

const documents = (): readonly Document[] => {
  const generated = (name: string): Buffer => readFileSync(new URL(`../${name}`, import.meta.resolve('@bursar/contracts')));
  const named = (name: string, type: string, content: string | Buffer): Document[] =>
    PREFIXES.map((prefix) => ({ path: `${prefix}/${name}`, type, content }));
  return [
    ...named('openapi.json', 'application/json', generated('openapi.json')),
    ...named('asyncapi.json', 'application/json', generated('asyncapi.json')),
    ...named('docs', 'text/html', PAGE),
    { path: '/docs/start.js', type: 'text/javascript', content: START },
    ...Object.entries(ASSETS).map(([name, type]) => ({ path: `/docs/${name}`, type, content: readFileSync(assetUrl(name)) })),
  ];
};

const assetUrl = (name: string): URL => new URL(`./static/${name}`, import.meta.resolve('@fastify/swagger-ui'));

const requireKey = async (request: FastifyRequest, authenticator: Authenticator): Promise<void> => {
  const { authorization } = request.headers;
  const key = bearerOf(authorization) ?? basicPassword(authorization);
  if ((await authenticator.authenticate(key ?? '')) !== null && key !== null) return;
  throw new Problem('unauthenticated', undefined, { headers: { 'www-authenticate': 'Basic realm="bursar", charset="UTF-8"' } });
};

const basicPassword = (header: string | undefined): string | null => {
  const encoded = /^basic +([A-Za-z0-9+/=]{1,8192})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return null;
  const credentials = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = credentials.indexOf(':');
  return colon === -1 ? null : credentials.slice(colon + 1);
};
