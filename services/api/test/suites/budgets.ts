import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { budgetBody, expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

export const budgets = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('budgets', () => {
    test('a new budget is answered with what was decided, and reads see it at once', async () => {
      const made = await acme.post('budgets', budgetBody({ description: 'd', thresholds: [{ percent: 80.5, severity: 'warning' }] }));
      expect(made.status).toBe(201);
      expect(made.headers.get('etag')).toBe('"0"');
      expect(made.headers.get('location')).toBe(`/api/v1/budgets/${made.body.id}`);
      expect(made.headers.get('bursar-position')).toMatch(/^\d+:\d+$/);
      expect(made.body).toMatchObject({
        name: 'Monthly',
        scope: 'team:ml',
        limit: { amount: '1000', currency: 'USD' },
        period: { kind: 'monthly', timezone: 'UTC', recurring: true },
        thresholds: [{ percent: 80.5, severity: 'warning', actions: ['notify'] }],
        levels: { yellow: 75, orange: 90, red: 100 },
        enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
        createdBy: 'key:admin',
        revision: 0,
        status: { status: 'ok', currentSpend: '0', remaining: '1000', percentUsed: '0.00' },
      });
      const read = await acme.get(`budgets/${made.body.id}`);
      expect(read.headers.get('etag')).toBe('"0"');
      expect(read.body).toMatchObject({ ...made.body, status: expect.any(Object), alerts: [] });
    });

    test('without thresholds it has the defaults', async () => {
      expect((await makeBudget(acme)).thresholds).toEqual([
        { percent: 80, severity: 'warning', actions: ['notify'] },
        { percent: 95, severity: 'critical', actions: ['notify'] },
      ]);
    });

    test('PUT replaces the whole definition, PATCH merges into it', async () => {
      const { id } = await makeBudget(acme, { description: 'old', levels: { yellow: 50 } });
      const patched = await acme.patch(`budgets/${id}`, { limit: { amount: '2000.50' }, levels: { orange: 95 } });
      expect(patched.status).toBe(200);
      expect(patched.headers.get('etag')).toBe('"1"');
      expect(patched.body).toMatchObject({
        description: 'old',
        limit: { amount: '2000.5', currency: 'USD' },
        levels: { yellow: 50, orange: 95 },
      });
      const put = await acme.put(`budgets/${id}`, budgetBody({ name: 'New' }));
      expect(put.body).toMatchObject({ name: 'New', limit: { amount: '1000' }, levels: { yellow: 75, orange: 90, red: 100 }, revision: 2 });
      expect(put.body).not.toHaveProperty('description');
      expect((await acme.get(`budgets/${id}`)).body).toMatchObject({ name: 'New', revision: 2, createdAt: put.body.createdAt });
    });

    test('a PATCH that changes nothing records nothing', async () => {
      const { id } = await makeBudget(acme);
      const patched = await acme.patch(`budgets/${id}`, { name: 'Monthly' });
      expect(patched.status).toBe(200);
      expect(patched.headers.get('etag')).toBe('"0"');
    });

    test('a PATCH into what a budget cannot be is refused with where', async () => {
      const { id } = await makeBudget(acme);
      expectProblem(await acme.patch(`budgets/${id}`, { period: { kind: 'rolling' } }), 400, 'required', '/period/length');
      expectProblem(await acme.patch(`budgets/${id}`, { limit: { amount: '-1' } }), 400, 'negative', '/limit/amount');
    });

    test('a deleted budget is gone from reads and lists, and no command brings it back', async () => {
      const { id } = await makeBudget(acme, { name: 'To be deleted' });
      const gone = await acme.delete(`budgets/${id}`);
      expect([gone.status, gone.text]).toEqual([204, '']);
      for (const path of [`budgets/${id}`, `budgets/${id}/status`, `budgets/${id}/alerts`])
        expectProblem(await acme.get(path), 404, 'not_found');
      expectProblem(await acme.patch(`budgets/${id}`, { name: 'x' }), 404, 'not_found');
      expectProblem(await acme.delete(`budgets/${id}`), 404, 'not_found');
      expect((await acme.get('budgets?q=To%20be%20deleted')).body.data).toEqual([]);
    });

    test('a rolling budget starts at its creation and keeps its anchor', async () => {
      const made = await makeBudget(acme, { period: { kind: 'rolling', length: '30d' } });
      expect(made.status.periodStart).toBe(made.period.anchor);
      const changed = await acme.put(`budgets/${made.id}`, budgetBody({ period: { kind: 'rolling', length: '60d' } }));
      expect(changed.body.period.anchor).toBe(made.period.anchor);
    });

    test('spend, alerts and status of a crossing', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = await makeBudget(tenant, {
        limit: { amount: '1000.00', currency: 'USD' },
        thresholds: [{ percent: 65, severity: 'warning' }],
      });
      const position = await tenant.record(usageOf('650.5'));
      const status = await tenant.get(`budgets/${id}/status?minPosition=${position}`, WAIT);
      expect(status.body).toMatchObject({ currentSpend: '650.5', percentUsed: '65.05', remaining: '349.5', status: 'warning' });
      const alerts = async () => (await tenant.get(`budgets/${id}/alerts?limit=5`)).body.data;
      // What was decided is shown at once; where the ledger tells of it comes a moment later.
      while ((await alerts())[0].position === null) await new Promise((resolve) => setTimeout(resolve, 20));
      const [alert] = await alerts();
      expect(alert).toMatchObject({
        budgetId: id,
        type: 'WARNING',
        severity: 'warning',
        percent: 65,
        percentUsed: '65.05',
        currentSpend: '650.5',
        limit: '1000',
        message: 'Warning: Budget at 65.1% (650.5/1000.0 USD)',
        acknowledged: false,
        position: expect.stringMatching(/^\d+:\d+$/),
      });
      const whole = await tenant.get(`budgets/${id}`);
      expect(whole.body.alerts).toEqual([alert]);
      expect(whole.body.status.activeAlerts).toEqual([
        { alertId: alert.id, percent: 65, severity: 'warning', actions: ['notify'], since: alert.createdAt, acknowledged: false },
      ]);
    });
  });

  describe('lost updates', () => {
    test('IN-G8 a stale If-Match is refused, without one the last writer wins and both are kept', async () => {
      const { id } = await makeBudget(acme);
      expect((await acme.patch(`budgets/${id}`, { name: 'A' }, { headers: { 'if-match': '"0"' } })).status).toBe(200);
      expectProblem(await acme.patch(`budgets/${id}`, { name: 'B' }, { headers: { 'if-match': '"0"' } }), 412, 'precondition_failed');
      expectProblem(await acme.put(`budgets/${id}`, budgetBody(), { headers: { 'if-match': '"7"' } }), 412, 'precondition_failed');
      expectProblem(await acme.delete(`budgets/${id}`, { headers: { 'if-match': 'W/"1"' } }), 412, 'precondition_failed');
      expect((await acme.patch(`budgets/${id}`, { name: 'C' })).body).toMatchObject({ name: 'C', revision: 2 });
      expect((await acme.patch(`budgets/${id}`, { name: 'D' }, { headers: { 'if-match': '"9", "2"' } })).status).toBe(200);
      expect((await acme.delete(`budgets/${id}`, { headers: { 'if-match': '*' } })).status).toBe(204);
    });

    test('of twenty writers with the same If-Match one wins', async () => {
      const { id } = await makeBudget(acme);
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, index) => acme.patch(`budgets/${id}`, { name: `W${index}` }, { headers: { 'if-match': '"0"' } })),
      );
      expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(412)]);
      expect((await acme.get(`budgets/${id}`)).body.revision).toBe(1);
    });

    test('ten writers of different fields without If-Match all take effect', async () => {
      const { id } = await makeBudget(acme);
      const patches = [
        { name: 'N' },
        { description: 'D' },
        { levels: { yellow: 10 } },
        { levels: { orange: 91 } },
        { enforcement: { mode: 'notify' } },
        { metadata: { a: 1 } },
      ];
      const replies = await Promise.all(patches.map((patch) => acme.patch(`budgets/${id}`, patch)));
      expect(replies.map(({ status }) => status)).toEqual(patches.map(() => 200));
      expect((await acme.get(`budgets/${id}`)).body).toMatchObject({
        name: 'N',
        description: 'D',
        levels: { yellow: 10, orange: 91 },
        enforcement: { mode: 'notify' },
        metadata: { a: 1 },
        revision: patches.length,
      });
    });
  });

  describe('lists', () => {
    let tenant: Client;
    beforeAll(async () => {
      tenant = acme.as(freshTenant());
      for (let index = 0; index < 7; index += 1) {
        const more = index % 2 === 0 ? {} : { scope: 'user:a:b', period: { kind: 'weekly' }, limit: { amount: '0' } };
        await makeBudget(tenant, { name: `Budget ${index} 100%_x`, ...more });
      }
      const position = await tenant.record(usageOf('1', { scopes: ['user:a:b'] }));
      await tenant.get(`budgets?minPosition=${position}`, WAIT);
    });
    const names = (body: { data: { name: string }[] }): number[] => body.data.map(({ name }) => Number(name.split(' ')[1]));

    test('pages are newest first, whole and without repeats', async () => {
      const seen: number[] = [];
      let path = 'budgets?limit=3';
      for (;;) {
        const { body } = await tenant.get(path);
        seen.push(...names(body));
        if (body.nextCursor === null) break;
        path = `budgets?limit=3&cursor=${body.nextCursor}`;
      }
      expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0]);
    });
    test.each([
      ['scopeType=user', [5, 3, 1]],
      ['scopeId=a:b', [5, 3, 1]],
      ['scopeType=team&scopeId=ml', [6, 4, 2, 0]],
      ['scopeId=b', []],
      ['period=weekly', [5, 3, 1]],
      ['status=exceeded', [5, 3, 1]],
      ['status=ok&limit=2', [6, 4]],
      ['status=paused', []],
      ['q=budget%203', [3]],
      ['q=100%25_x', [6, 5, 4, 3, 2, 1, 0]],
      ['q=1%25x', []],
    ])('filter %s', async (query, expected) => {
      expect(names((await tenant.get(`budgets?${query}`)).body)).toEqual(expected);
    });
    test('filter by status pages on from where it stopped', async () => {
      const first = await tenant.get('budgets?status=exceeded&limit=2');
      expect(names(first.body)).toEqual([5, 3]);
      const second = await tenant.get(`budgets?status=exceeded&limit=2&cursor=${first.body.nextCursor}`);
      expect([names(second.body), second.body.nextCursor]).toEqual([[1], null]);
    });
    test('budgets of a scope include those it is a member of', async () => {
      await makeBudget(tenant, { name: 'Budget 7 pool', scope: 'team:x', members: ['user:a:b', 'user:z'] });
      expect(names((await tenant.get('budgets/scope/user/a:b')).body)).toEqual([7, 5, 3, 1]);
      expect(names((await tenant.get('budgets/scope/user/nobody')).body)).toEqual([]);
    });
    test('IN-G27 what is no page is refused', async () => {
      for (const query of [
        'limit=1e9',
        'limit=0',
        'limit=-1',
        'limit=201',
        'limit=',
        'sort=;drop',
        'limit=1&limit=2',
        'cursor=',
        'period=hourly',
      ]) {
        expectProblem(await tenant.get(`budgets?${query}`), 400);
      }
    });
    test('IN-G27 a cursor is of use to the list and tenant it was made for alone', async () => {
      const { nextCursor } = (await tenant.get('budgets?limit=2')).body;
      const flipped = `${nextCursor.slice(0, -2)}${nextCursor.at(-2) === 'A' ? 'B' : 'A'}${nextCursor.at(-1)}`;
      const forged = Buffer.concat([Buffer.alloc(16), Buffer.from('[1,"x"]')]).toString('base64url');
      for (const cursor of [flipped, forged, `${nextCursor}A`, nextCursor.slice(1), 'x']) {
        expectProblem(await tenant.get(`budgets?limit=2&cursor=${cursor}`), 400, 'cursor', '/cursor');
      }
      expectProblem(await tenant.as(freshTenant()).get(`budgets?cursor=${nextCursor}`), 400, 'cursor');
      expectProblem(await tenant.get(`budgets?period=weekly&cursor=${nextCursor}`), 400, 'cursor');
      expectProblem(await tenant.get(`scopes?cursor=${nextCursor}`), 400, 'cursor');
      expect((await tenant.get(`budgets?limit=50&cursor=${nextCursor}`)).status).toBe(200);
    });
  });
};
