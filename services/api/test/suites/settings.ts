import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** A read that waits for what was recorded at the position. */
const at = async (client: Client, path: string, position: string) =>
  (await client.get(`${path}${path.includes('?') ? '&' : '?'}minPosition=${position}`, WAIT)).body;
const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();

export const settings = (api: () => Client): void => {
  describe('tenant settings (F7)', () => {
    let acme: Client;
    const path = (): string => `tenants/${acme.tenant}/settings`;
    const set = async (body: object): Promise<void> => {
      const reply = await acme.put(path(), body);
      expect({ status: reply.status, body: reply.text }).toMatchObject({ status: 200 });
    };
    const only = async (event: object): Promise<Record<string, unknown>> => {
      const reply = await acme.post('usage', event);
      return reply.body.results[0];
    };
    beforeEach(() => {
      acme = api().as(freshTenant());
    });

    test('a tenant that set nothing has the defaults', async () => {
      const reply = await acme.get(path());
      expect(reply.status).toBe(200);
      expect(reply.headers.get('etag')).toBe('"0"');
      expect(reply.body).toEqual({
        tenantId: acme.tenant,
        profile: 'default',
        adminContact: null,
        defaultChannels: [],
        userDefaults: { limit: '30', adminLimit: '100', budgetVisibleToUser: true },
        unpricedPolicy: 'count_when_priced',
        fallbackPrice: null,
        unreservedPolicy: 'count',
        alertWindow: '1h',
        lateWindow: null,
        allocation: [],
        tenantAdminMayOverride: false,
        currency: 'USD',
        litellm: null,
        revision: 0,
        updatedAt: null,
        updatedBy: null,
      });
    });

    test('what is left out stays, null is the default again, and If-Match guards against lost updates', async () => {
      await set({ adminContact: 'ops@acme.example', defaultChannels: ['email'], alertWindow: '30m', userDefaults: { limit: '50' } });
      const second = await acme.put(path(), { currency: 'EUR', alertWindow: null, tenantAdminMayOverride: true });
      expect(second.body).toMatchObject({
        adminContact: 'ops@acme.example',
        defaultChannels: ['email'],
        alertWindow: '1h',
        currency: 'EUR',
        userDefaults: { limit: '50', adminLimit: '100' },
        tenantAdminMayOverride: true,
        revision: 2,
        updatedBy: 'key:admin',
      });
      expect(second.headers.get('etag')).toBe('"2"');
      expectProblem(await acme.put(path(), { currency: 'GBP' }, { headers: { 'if-match': '"1"' } }), 412, 'precondition_failed');
      expect((await acme.put(path(), { currency: 'GBP' }, { headers: { 'if-match': '"2"' } })).status).toBe(200);
      // What is so already records nothing.
      expect((await acme.put(path(), { currency: 'GBP' })).body.revision).toBe(3);
      expect((await acme.get(path())).body).toMatchObject({ currency: 'GBP', revision: 3 });
    });

    test('a platform admin reads and sets another tenant by the address', async () => {
      const other = freshTenant();
      expect((await acme.put(`tenants/${other}/settings`, { currency: 'CHF' })).status).toBe(200);
      expect((await acme.get(`tenants/${other}/settings`)).body).toMatchObject({ tenantId: other, currency: 'CHF' });
      expect((await acme.get(path())).body.currency).toBe('USD');
    });

    test.each([
      [{ currency: 'EURO' }, '/currency'],
      [{ lateWindow: 'P1M' }, '/lateWindow'],
      [{ alertWindow: 'soon' }, '/alertWindow'],
      [{ unpricedPolicy: 'zero' }, '/unpricedPolicy'],
      [{ unpricedPolicy: 'fallback_price' }, '/fallbackPrice'],
      [{ fallbackPrice: { amount: '0' } }, '/fallbackPrice/amount'],
      [{ allocation: [{ scope: 'team:a', percent: '50' }] }, '/allocation'],
      [{ litellm: { proxyUrl: 'ftp://x' } }, '/litellm/proxyUrl'],
      [{ nonsense: 1 }, '/nonsense'],
    ])('%j is refused', async (body, pointer) => {
      expectProblem(await acme.put(path(), body), 400, undefined, pointer);
    });

    test('the currency is that of every amount that names none', async () => {
      await set({ currency: 'EUR' });
      const budget = await makeBudget(acme, { limit: { amount: '100' } });
      expect(budget).toMatchObject({ limit: { amount: '100', currency: 'EUR' }, status: { currency: 'EUR' } });
      const bulk = await acme.post('budgets/bulk', {
        budgets: [{ budget: { name: 'b', scope: 'team:b', limit: { amount: '1' }, period: { kind: 'daily' } } }],
      });
      expect((await acme.get(`budgets/${bulk.body.results[0].id}`)).body.limit.currency).toBe('EUR');
      const position = await acme.record(usageOf('40', { cost: { amount: '40' } }));
      expect((await at(acme, `budgets/${budget.id}/status`, position)).currentSpend).toBe('40');
      expect((await acme.post('check', { scopes: ['team:ml'], amount: '61' })).body).toMatchObject({ allowed: false, currency: 'EUR' });
      const dry = await acme.post('usage?dryRun=true', usageOf('1', { cost: { amount: '1' } }));
      expect(dry.body.results[0].cost).toEqual({ amount: '1', currency: 'EUR' });
      const list = await acme.post('price-lists', { name: 'n', prices: [{ meter: 'm', unit: 'requests', amount: '2' }] });
      expect(list.body.currency).toBe('EUR');
      const usd = await makeBudget(acme, { limit: { amount: '5', currency: 'USD' } });
      expect(usd.limit.currency).toBe('USD');
    });

    test('deny refuses what no price covers; it may be sent again once one does', async () => {
      await set({ unpricedPolicy: 'deny' });
      const event = { id: randomUUID(), source: 's', scopes: ['team:ml'], meter: 'm', quantities: { requests: '3' } };
      const refused = await only(event);
      expect(refused).toMatchObject({ status: 'rejected', problem: { code: 'unpriced' } });
      await acme.post('price-lists', {
        name: 'n',
        effectiveFrom: '2020-01-01T00:00:00Z',
        prices: [{ meter: 'm', unit: 'requests', amount: '2' }],
      });
      expect(await only(event)).toMatchObject({ status: 'accepted' });
    });

    test('a fallback price is what unpriced units cost, from its position on', async () => {
      const budget = await makeBudget(acme);
      const event = (): object => ({ id: randomUUID(), source: 's', scopes: ['team:ml'], meter: 'm', quantities: { requests: '3' } });
      await acme.record(event());
      await set({ unpricedPolicy: 'fallback_price', fallbackPrice: { amount: '0.5' } });
      const position = await acme.record(event());
      const status = () => at(acme, `budgets/${budget.id}/status`, position);
      expect(await status()).toMatchObject({ currentSpend: '1.5', waiting: 1 });
      const dry = await acme.post('usage?dryRun=true', event());
      expect(dry.body.results[0]).toMatchObject({ cost: { amount: '1.5', currency: 'USD' }, unpriced: ['requests'] });
      await acme.post('price-lists', {
        name: 'n',
        effectiveFrom: '2020-01-01T00:00:00Z',
        prices: [{ meter: 'm', unit: 'requests', amount: '2' }],
      });
      // What waited is priced by the list; what the fallback priced stands.
      expect(await status()).toMatchObject({ currentSpend: '7.5', waiting: 0 });
    });

    test('the late window of a tenant is shorter than the installation, never longer', async () => {
      await set({ lateWindow: '2h' });
      expect(await only(usageOf('1', { occurredAt: hoursAgo(3) }))).toMatchObject({ status: 'rejected', problem: { code: 'too_old' } });
      expect(await only(usageOf('1', { occurredAt: hoursAgo(1) }))).toMatchObject({ status: 'accepted' });
      await set({ lateWindow: '3000d' });
      expect(await only(usageOf('1', { occurredAt: hoursAgo(2_500 * 24) }))).toMatchObject({
        status: 'rejected',
        problem: { code: 'too_old' },
      });
    });

    test('a rule of the tenant splits the cost of what says nothing itself (A14)', async () => {
      await set({
        allocation: [
          { scope: 'team:a', percent: 60 },
          { scope: 'team:b', percent: 40 },
        ],
      });
      const [a, b] = [await makeBudget(acme, { scope: 'team:a' }), await makeBudget(acme, { scope: 'team:b' })];
      await acme.record(usageOf('10', { scopes: ['user:u'] }));
      const last = await acme.record(usageOf('1', { scopes: ['user:u'], allocation: [{ scope: 'team:b', percent: 100 }] }));
      const spent = async (id: string) => (await at(acme, `budgets/${id}/status`, last)).currentSpend;
      expect([await spent(a.id), await spent(b.id)]).toEqual(['6', '5']);
      const whole = await at(acme, `scopes/tenant/${acme.tenant}/usage/summary`, last);
      expect(whole.spend).toEqual([{ amount: '11', currency: 'USD' }]);
    });

    test('secrets are kept, and never answered', async () => {
      const secrets = { masterKey: 'sk-master-canary-1234', webhookSecret: 'canary-webhook', keys: ['sk-key-canary-abcd'] };
      const put = await acme.put(path(), { litellm: { proxyUrl: 'https://llm.acme.example', ...secrets } });
      const shown = {
        proxyUrl: 'https://llm.acme.example',
        keys: ['…abcd'],
        masterKeySet: true,
        webhookSecretSet: true,
        webhookTokenSet: false,
      };
      expect(put.body.litellm).toEqual(shown);
      // Left out of a later PUT they stay.
      const later = await acme.put(path(), { litellm: { proxyUrl: 'https://other.acme.example' } });
      expect(later.body.litellm).toEqual({ ...shown, proxyUrl: 'https://other.acme.example' });
      for (const { text } of [put, later, await acme.get(path())]) expect(text).not.toContain('canary');
      expect((await acme.put(path(), { litellm: { masterKey: null } })).body.litellm.masterKeySet).toBe(false);
    });
  });
};
