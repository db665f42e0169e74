import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { ROUTES, type Route } from '@bursar/contracts/http';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';
import { ADMIN_KEY } from '../support/system.js';

const statusOf = async ({ url, tenant }: Client, path: string): Promise<number> => {
  const { hostname, port } = new URL(url);
  const request = http.get({ hostname, port, path, headers: { authorization: `Bearer ${ADMIN_KEY}`, 'bursar-tenant': tenant } });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
};

/** Generated from the contract's table: a new route is in it by itself. */
export const access = (api: () => Client): void => {
  const CANARY = `canary-${randomUUID()}`;
  let theirs: Client;
  let ids: Readonly<Record<string, string>>;

  beforeAll(async () => {
    theirs = api().as(freshTenant());
    await theirs.post('scopes', { type: 'team', id: CANARY, name: CANARY, parents: [`org:${CANARY}`] });
    const { id } = await makeBudget(theirs, { name: CANARY, scope: `team:${CANARY}`, description: CANARY });
    await theirs.post('price-lists', { name: CANARY, prices: [{ meter: CANARY, match: {}, unit: 'u', amount: '1' }] });
    await theirs.record(usageOf('950', { scopes: [`team:${CANARY}`], description: CANARY }));
    while ((await theirs.get(`budgets/${id}/alerts`)).body.data.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const [alert] = (await theirs.get(`budgets/${id}/alerts`)).body.data;
    ids = { id, alertId: alert.id, type: 'team', tenantId: theirs.tenant };
  });

  /** The address of a route, naming their things where it names any. */
  const address = ({ path }: Route): string =>
    path.replace(/:([A-Za-z]+)/g, (_, name: string) => (name === 'id' && path.includes(':type') ? CANARY : (ids[name] ?? CANARY)));
  const bodyFor = ({ method }: Route) => (method === 'GET' || method === 'DELETE' ? undefined : {});
  const named = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);

  describe('access', () => {
    test.each(named)('%s needs a key', async (_name, route) => {
      for (const key of [null, 'wrong', `${ADMIN_KEY}x`, ADMIN_KEY.slice(0, -1)]) {
        const reply = await theirs.withKey(key).send(route.method, address(route), bodyFor(route));
        expectProblem(reply, 401, 'unauthenticated');
        expect(reply.headers.get('www-authenticate')).toMatch(/^(Bearer|Basic)/);
      }
    });

    test.each(named)("%s tells nothing of another tenant's", async (_name, route) => {
      const stranger = theirs.as(freshTenant());
      const reply = await stranger.send(route.method, address(route), bodyFor(route));
      expect(reply.status).not.toBe(500);
      // The key is a platform admin's: an address that names the tenant means that tenant.
      if (route.path.includes(':tenantId')) return;
      if (route.path.includes(':id') && !route.path.includes(':type') && route.built) expect([400, 404, 503]).toContain(reply.status);
      // What the address itself named may be echoed; what only their data holds may not.
      const held = [ids.alertId, '"950"', `"org:${CANARY}"`, `"name":"${CANARY}"`, theirs.tenant].filter(
        (text) => !address(route).includes(text ?? ''),
      );
      for (const text of held) expect(reply.text).not.toContain(text);
    });

    test('lists of a stranger are empty', async () => {
      const stranger = theirs.as(freshTenant());
      for (const path of ['budgets', 'scopes', 'price-lists', 'price-lists/current', 'exchange-rates', `budgets/scope/team/${CANARY}`]) {
        expect((await stranger.get(path)).body).toEqual({ data: [], nextCursor: null });
      }
    });

    test('health alone is open, and what nobody serves is not found', async () => {
      const nobody = theirs.withKey(null);
      for (const path of ['/livez', '/readyz']) expect((await nobody.get(path)).status).toBe(200);
      for (const path of ['/metrics', '/', '/api', '/api/v1', '/api/v2/budgets', '/debug', '/docs/other.js', '/api/v1/budgets/']) {
        expectProblem(await nobody.get(path), 401);
        expectProblem(await theirs.get(path), 404, 'not_found');
      }
      expectProblem(await theirs.send('PUT', 'budgets'), 405, 'method_not_allowed');
    });

    test('IN-A17, IN-A18 addresses and methods mean what they say', async () => {
      const { id } = await makeBudget(theirs);
      await theirs.get(`budgets/${id}`, { headers: { 'x-http-method-override': 'DELETE' } });
      expect((await theirs.get(`budgets/${id}`)).status).toBe(200);
      // Written by hand: fetch would resolve the dots before it sends them.
      for (const path of [
        'budgets//',
        '/budgets',
        'budgets;x=1',
        '../v1/budgets',
        '%2e%2e/v1/budgets',
        'budgets/%2e%2e/scopes',
        'budgets%00',
      ]) {
        expect([400, 404]).toContain(await statusOf(theirs, `/api/v1/${path}`));
      }
    });

    test('a tenant id that is none is refused', async () => {
      for (const tenant of ['a b', 'x'.repeat(65), 'a/b', "'", '*']) expectProblem(await theirs.as(tenant).get('budgets'), 400, 'tenant');
    });
  });
};
