import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** Pause (B9) and overrides (B10). */
export const controls = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('pausing a budget', () => {
    test('is answered with the paused budget, and reads see it at once', async () => {
      const { id } = await makeBudget(acme);
      const paused = await acme.post(`budgets/${id}/pause`, { reason: 'audit' });
      expect(paused.status).toBe(200);
      expect(paused.headers.get('etag')).toBe('"1"');
      expect(paused.headers.get('bursar-position')).toMatch(/^\d+:\d+$/);
      expect(paused.body).toMatchObject({ id, revision: 1, status: { status: 'paused', paused: true } });
      expect((await acme.get(`budgets/${id}/status`)).body).toMatchObject({ status: 'paused', paused: true });
      expect((await acme.get('budgets?status=paused')).body.data.map((budget: { id: string }) => budget.id)).toEqual([id]);

      const resumed = await acme.post(`budgets/${id}/resume`);
      expect(resumed.body).toMatchObject({ revision: 2, status: { status: 'ok', paused: false } });
      expect((await acme.get(`budgets/${id}/status`)).body).toMatchObject({ status: 'ok', paused: false });
    });
    test('twice records it once', async () => {
      const { id } = await makeBudget(acme);
      const [first, second] = [await acme.post(`budgets/${id}/pause`), await acme.post(`budgets/${id}/pause`)];
      expect(second.status).toBe(200);
      expect(second.body.revision).toBe(1);
      expect(second.headers.get('bursar-position')).toBe(first.headers.get('bursar-position'));
    });
    test('one that is gone, never was or is somebody else’s is 404', async () => {
      const { id } = await makeBudget(acme);
      expectProblem(await acme.as(freshTenant()).post(`budgets/${id}/pause`), 404, 'not_found');
      await acme.delete(`budgets/${id}`);
      expectProblem(await acme.post(`budgets/${id}/pause`), 404, 'not_found');
      expectProblem(await acme.post(`budgets/${id}/resume`), 404, 'not_found');
      expectProblem(await acme.post('budgets/none/pause'), 404, 'not_found');
    });
    test('takes a reason and nothing else', async () => {
      const { id } = await makeBudget(acme);
      expectProblem(await acme.post(`budgets/${id}/pause`, { until: 'tomorrow' }), 400, 'unknown_field', '/until');
      expectProblem(await acme.post(`budgets/${id}/pause`, { reason: 5 }), 400);
    });
  });

  describe('a budget with autoPause', () => {
    const until = async (id: string, status: string) => {
      for (let tries = 0; tries < 400; tries += 1) {
        const { body } = await acme.get(`budgets/${id}`);
        if (body.status.status === status) return body;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error(`the budget never was ${status}`);
    };
    const breaker = (scope: string, more: object = {}) =>
      makeBudget(acme, { scope, limit: { amount: '10', currency: 'USD' }, enforcement: { autoPause: true }, ...more });
    const ask = async (scope: string, position: string | null) =>
      (await acme.post(`check?minPosition=${position}`, { scopes: [scope], amount: '1' }, WAIT)).body;

    test('pauses when its block point is reached, and its revision stays', async () => {
      const { id } = await breaker('team:breaker');
      await acme.record(usageOf('10', { scopes: ['team:breaker'] }));
      const paused = await until(id, 'paused');
      expect(paused).toMatchObject({ revision: 0, updatedAt: paused.createdAt, status: { paused: true, currentSpend: '10' } });
      const { data } = (await acme.get('budgets?status=paused')).body;
      expect(data.map((budget: { id: string }) => budget.id)).toContain(id);
      const { body: tree } = await acme.get('budgets/hierarchy/team/breaker');
      expect(tree.budgets).toMatchObject([{ id, status: 'paused' }]);
      const { position } = paused.status;
      for (const past of [`budgets/${id}?asOf=${position}`, `budgets/hierarchy/team/breaker?asOf=${position}`]) {
        expect((await acme.get(past)).text).toContain('"status":"paused"');
      }
    });

    test('stays paused though the spend falls, until it is resumed by hand; then it latches anew only from below', async () => {
      const { id } = await breaker('team:latch');
      const used = await acme.post('usage', usageOf('10', { scopes: ['team:latch'] }));
      await until(id, 'paused');
      const gone = await acme.post(`usage/${used.body.results[0].eventId}/void`, { reason: 'twice' });
      const fallen = await ask('team:latch', gone.headers.get('bursar-position'));
      expect(fallen).toMatchObject({ allowed: false, code: 'budget_paused', currentSpend: '0' });

      const resumed = await acme.post(`budgets/${id}/resume`, { reason: 'looked at' });
      expect(resumed.body).toMatchObject({ revision: 1, status: { paused: false, status: 'ok' } });
      expect(await ask('team:latch', resumed.headers.get('bursar-position'))).toMatchObject({ allowed: true });
      await acme.record(usageOf('11', { scopes: ['team:latch'] }));
      await until(id, 'paused');
      const again = await acme.post(`budgets/${id}/resume`);
      const position = await acme.record(usageOf('1', { scopes: ['team:latch'] }));
      expect(again.body.status).toMatchObject({ paused: false, status: 'exceeded' });
      const { body: after } = await acme.get(`budgets/${id}/status?minPosition=${position}`, WAIT);
      expect(after).toMatchObject({ paused: false, status: 'exceeded', currentSpend: '12' });
    });

    test('runs again when its period ends, by the clock; one paused by hand does not', async () => {
      const period = { kind: 'rolling', length: '3s' };
      const [latched, manual] = [await breaker('team:lapse', { period }), await breaker('team:hand', { period })];
      const scopes = ['team:lapse', 'team:hand'];
      await acme.record(usageOf('10', { scopes, occurredAt: (await acme.get(`budgets/${manual.id}/status`)).body.periodStart }));
      await acme.post(`budgets/${manual.id}/pause`);
      await until(latched.id, 'ok');
      expect((await acme.post('check', { scopes: ['team:lapse'], amount: '1' })).body).toMatchObject({ allowed: true });
      expect((await acme.get(`budgets/${latched.id}`)).body.revision).toBe(0);
      expect((await acme.get(`budgets/${manual.id}/status`)).body).toMatchObject({ status: 'paused' });
      expect((await acme.post('check', { scopes: ['team:hand'], amount: '1' })).body).toMatchObject({ code: 'budget_paused' });
    });

    test('does not end early: the clock is asked at each check', async () => {
      const { id, createdAt } = await breaker('team:tick', { period: { kind: 'rolling', length: '8s' } });
      await acme.record(usageOf('10', { scopes: ['team:tick'], occurredAt: createdAt }));
      const { periodEnd } = (await until(id, 'paused')).status;
      for (;;) {
        const { body } = await acme.post('check', { scopes: ['team:tick'], amount: '1' });
        if (body.allowed) break;
        if (body.retryable !== true) expect(body.code).toBe('budget_paused');
      }
      expect((await acme.get(`budgets/${id}/status`)).body.periodStart >= periodEnd).toBe(true);
    });
  });

  describe('overrides of a budget', () => {
    const grant = (id: string, more: object = {}) =>
      acme.post(`budgets/${id}/overrides`, { amount: '500', duration: '7d', reason: 'launch', ...more });

    test('raise what the budget allows, at once, and are shown', async () => {
      const { id } = await makeBudget(acme, { enforcement: { blockAtPercent: 110 } });
      const made = await grant(id);
      expect(made.status).toBe(201);
      expect(made.headers.get('bursar-position')).toMatch(/^\d+:\d+$/);
      expect(made.body).toMatchObject({
        overrideId: expect.any(String),
        amount: '500',
        currency: 'USD',
        enforcement: null,
        reason: 'launch',
        createdBy: 'key:admin',
        state: 'active',
        revokedAt: null,
      });
      expect(Date.parse(made.body.expiresAt) - Date.parse(made.body.createdAt)).toBeLessThanOrEqual(7 * 86_400_000);
      const { overrideId, expiresAt } = made.body;
      expect((await acme.get(`budgets/${id}`)).body).toMatchObject({
        limit: { amount: '1000', currency: 'USD' },
        revision: 1,
        status: {
          limit: '1000',
          effectiveLimit: '1500',
          remaining: '1500',
          blockPoint: '1650',
          graceRemaining: '1650',
          override: { overrideIds: [overrideId], amount: '500', enforcement: null, expiresAt },
        },
      });
    });

    test('are listed, newest first, page by page, and revoked one by one', async () => {
      const { id } = await makeBudget(acme);
      const first = (await grant(id)).body;
      const second = (await grant(id, { amount: undefined, enforcement: 'off' })).body;
      const page = (await acme.get(`budgets/${id}/overrides?limit=1`)).body;
      expect(page.data).toEqual([second]);
      expect((await acme.get(`budgets/${id}/overrides?limit=1&cursor=${page.nextCursor}`)).body).toEqual({
        data: [first],
        nextCursor: null,
      });

      expect((await acme.delete(`budgets/${id}/overrides/${first.overrideId}`)).status).toBe(204);
      expect((await acme.delete(`budgets/${id}/overrides/${first.overrideId}`)).status).toBe(204);
      const { data } = (await acme.get(`budgets/${id}/overrides`)).body;
      expect(data.map(({ state }: { state: string }) => state)).toEqual(['active', 'revoked']);
      expect(data[1]).toMatchObject({ ...first, state: 'revoked', revokedBy: 'key:admin', revokedAt: expect.any(String) });
      expect((await acme.get(`budgets/${id}/status`)).body).toMatchObject({
        effectiveLimit: '1000',
        override: { amount: null, enforcement: 'off' },
      });
    });

    test('end by the clock, without any event', async () => {
      const { id } = await makeBudget(acme);
      const { body } = await grant(id, { duration: '1s' });
      const statusNow = async () => (await acme.get(`budgets/${id}/status`)).body;
      for (let tries = 0; (await statusNow()).override !== null; tries += 1) {
        if (tries > 200) throw new Error('it never ended');
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      expect(await statusNow()).toMatchObject({ effectiveLimit: '1000' });
      expect((await acme.get(`budgets/${id}/overrides`)).body.data).toMatchObject([{ overrideId: body.overrideId, state: 'expired' }]);
      expect((await acme.get(`budgets/${id}`)).body.revision).toBe(1);
    });

    test('clear the threshold they bring spend under; revoked, it is crossed again', async () => {
      const { id } = await makeBudget(acme, { scope: 'team:launch' });
      await acme.record(usageOf('900', { scopes: ['team:launch'] }));
      const status = async (position: string | null) => (await acme.get(`budgets/${id}/status?minPosition=${position}`, WAIT)).body;
      const percents = (body: { activeAlerts: { percent: number }[] }) => body.activeAlerts.map(({ percent }) => percent);
      const made = await grant(id);
      expect(await status(made.headers.get('bursar-position'))).toMatchObject({ percentUsed: '60.00', status: 'ok', activeAlerts: [] });
      const gone = await acme.delete(`budgets/${id}/overrides/${made.body.overrideId}`);
      expect(percents(await status(gone.headers.get('bursar-position')))).toEqual([80]);
    });

    test('the same request, sent again, is the same grant', async () => {
      const { id } = await makeBudget(acme);
      const headers = { 'idempotency-key': `grant-${id}` };
      const body = { amount: '5', duration: '1h', reason: 'r' };
      const [one, two] = [
        await acme.post(`budgets/${id}/overrides`, body, { headers }),
        await acme.post(`budgets/${id}/overrides`, body, { headers }),
      ];
      expect(two.body).toEqual(one.body);
      expect((await acme.get(`budgets/${id}/overrides`)).body.data).toHaveLength(1);
    });

    test('that make no sense are refused', async () => {
      const { id } = await makeBudget(acme);
      const refused = async (more: object, code: string, pointer: string) => expectProblem(await grant(id, more), 400, code, pointer);
      await refused({ amount: undefined }, 'required', '/amount');
      await refused({ amount: '0' }, 'not_positive', '/amount');
      await refused({ amount: '-5' }, 'negative', '/amount');
      await refused({ amount: { amount: '5', currency: 'EUR' } }, 'currency', '/amount/currency');
      await refused({ amount: '999999999999999999.5' }, 'too_large', '/amount');
      await refused({ duration: undefined }, 'exclusive', '/duration');
      await refused({ expiresAt: '2030-01-01T00:00:00Z' }, 'exclusive', '/duration');
      await refused({ duration: undefined, expiresAt: '2020-01-01T00:00:00Z' }, 'order', '/expiresAt');
      await refused({ duration: '0d' }, 'duration_format', '/duration');
      await refused({ enforcement: 'block' }, 'not_allowed', '/enforcement');
      await refused({ reason: undefined }, 'required', '/reason');
      await refused({ createdBy: 'me' }, 'unknown_field', '/createdBy');
      expect((await acme.get(`budgets/${id}`)).body.revision).toBe(0);
    });

    test('of what is gone, or of somebody else, are 404', async () => {
      const { id } = await makeBudget(acme);
      const { overrideId } = (await grant(id)).body;
      const other = acme.as(freshTenant());
      expectProblem(await other.get(`budgets/${id}/overrides`), 404, 'not_found');
      expectProblem(await other.delete(`budgets/${id}/overrides/${overrideId}`), 404, 'not_found');
      expectProblem(await acme.delete(`budgets/${id}/overrides/none`), 404, 'not_found');
      await acme.delete(`budgets/${id}`);
      expectProblem(await grant(id), 404, 'not_found');
      expectProblem(await acme.get(`budgets/${id}/overrides`), 404, 'not_found');
    });
  });

  describe('rollover', () => {
    const rolling = (more: object) => ({ period: { kind: 'rolling', length: '5s' }, thresholds: [], ...more });
    /** The status once something was carried into the current period. */
    const carried = async (id: string) => {
      for (let tries = 0; tries < 2_000; tries += 1) {
        const { body } = await acme.get(`budgets/${id}/status`);
        if (body.rolledOver !== '0') return body;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error('nothing was carried');
    };

    test('carries what is left over, up to its cap, as soon as the next period begins', async () => {
      const { id, status } = await makeBudget(acme, rolling({ rollover: { mode: 'unused', cap: '40' } }));
      expect(status).toMatchObject({ rolledOver: '0', effectiveLimit: '1000' });
      expect(await carried(id)).toMatchObject({
        limit: '1000',
        rolledOver: '40',
        effectiveLimit: '1040',
        remaining: '1040',
        blockPoint: '1040',
      });
      expect((await acme.get(`budgets/${id}`)).body.status).toMatchObject({ rolledOver: '40' });
    });

    test('carries an overspend as debt', async () => {
      const made = await makeBudget(
        acme,
        rolling({ scope: 'team:debt', limit: { amount: '0', currency: 'USD' }, rollover: { mode: 'debt' } }),
      );
      await acme.record(usageOf('5', { scopes: ['team:debt'], occurredAt: made.createdAt }));
      expect(await carried(made.id)).toMatchObject({ rolledOver: '-5', effectiveLimit: '0', remaining: '0', currentSpend: '0' });
    });

    test('is found as of a past instant too', async () => {
      const more = { scope: 'team:past', limit: { amount: '0', currency: 'USD' }, rollover: { mode: 'debt' } };
      const made = await makeBudget(acme, rolling(more));
      await acme.record(usageOf('3', { scopes: ['team:past'], occurredAt: made.createdAt }));
      const { periodStart } = await carried(made.id);
      const asOf = async (instant: string) => (await acme.get(`budgets/${made.id}/status?asOf=${instant}`)).body;
      expect(await asOf(periodStart)).toMatchObject({ periodStart, rolledOver: '-3', effectiveLimit: '0', currentSpend: '0' });
      const before = new Date(Date.parse(periodStart) - 1).toISOString();
      expect(await asOf(before)).toMatchObject({ rolledOver: '0', currentSpend: '3' });
    });

    test('without it nothing is carried', async () => {
      const { id } = await makeBudget(acme, rolling({}));
      const start = (await acme.get(`budgets/${id}/status`)).body.periodStart;
      for (let body = { periodStart: start, rolledOver: '0' }; body.periodStart === start; ) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        ({ body } = await acme.get(`budgets/${id}/status`));
        expect(body.rolledOver).toBe('0');
      }
    });
  });
};
