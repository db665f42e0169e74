import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { livez, readyz } from './health.js';
import type { Metrics } from './metrics.js';
import type { Readiness } from './readiness.js';

/** `/metrics` and health on an address of their own, which is not given to the public. */
export class OpsListener {
  private readonly server: Server;

  constructor(metrics: Metrics, readiness: Readiness) {
    this.server = createServer((request, response) => {
      answer(request.url ?? '', metrics, readiness).then(
        ({ status, type, body }) => send(response, status, type, body),
        () => send(response, 500, 'text/plain', 'failed\n'),
      );
    });
  }

  async listen(host: string, port: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.server.once('error', reject);
    this.server.listen(port, host, resolve);
    await promise;
    this.server.off('error', reject);
    return `http://${host}:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.close(() => resolve());
    this.server.closeAllConnections();
    await promise;
  }
}

type Answer = Readonly<{ status: number; type: string; body: string }>;

const answer = async (path: string, metrics: Metrics, readiness: Readiness): Promise<Answer> => {
  if (path === '/metrics') return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() };
  if (path === '/livez') return { type: 'application/json', ...livez() };
  if (path === '/readyz') return { type: 'application/json', ...(await readyz(readiness)) };
  return { status: 404, type: 'text/plain', body: 'not found\n' };
};

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
};
