import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, type Reply, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';
import type { Process } from '../support/system.js';

const USD = (amount: string) => ({ amount, currency: 'USD' });
const SHORT = { kind: 'rolling', length: '2s' };
/** Long enough to be used before it is over, on a machine that stalls. */
const LONGER = { kind: 'rolling', length: '5s' };

/** Periods that begin by the clock or by hand (PRODUCT E, J4). */
export const resets = (api: () => Client, startScheduler: () => Promise<Process>): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });
  const until = async (ask: () => Promise<Reply>, isSo: (body: Reply['body']) => boolean): Promise<Reply['body']> => {
    for (let tries = 0; tries < 1_000; tries += 1) {
      const { body } = await ask();
      if (isSo(body)) return body;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`it never came: ${(await ask()).text}`);
  };

  describe('while no scheduler runs', () => {
    test('J4 resets missed #5651 #7129: a new period begins all the same, for status, checks and holds', async () => {
      const tenant = acme.as(freshTenant());
      const { id, status } = await makeBudget(tenant, { limit: USD('10'), period: SHORT });
      await tenant.record(usageOf('10', { occurredAt: status.periodStart }));
      const next = await until(
        () => tenant.get(`budgets/${id}/status`),
        (body) => body.periodStart !== status.periodStart,
      );
      expect(next).toMatchObject({ currentSpend: '0', status: 'ok', remaining: '10' });
      const answer = await until(
        () => tenant.post('check', { scopes: ['team:ml'], amount: 1 }),
        (body) => body.code !== 'counting',
      );
      expect(answer).toMatchObject({ allowed: true, currentSpend: '0' });
      const held = await tenant.post('reservations', { id: 'r1', scopes: ['team:ml'], amount: '10' });
      expect([held.status, held.body.remaining]).toEqual([201, '0']);
      const { data } = (await tenant.get(`budgets/${id}/periods`)).body;
      expect(data[0]).toMatchObject({ status: 'open', spend: '0', closingSpend: null, endedAt: null });
      expect(data.at(-1)).toMatchObject({ status: 'ended', spend: '10', closingSpend: null, endedAt: null, restatements: [] });
      expect((await tenant.get(`budgets/${id}/resets`)).body).toEqual({ data: [], nextCursor: null });
    });
  });

  describe('a reset by hand', () => {
    test('begins a new window at once, to the same boundary, and the one before keeps what is in it', async () => {
      const made = await makeBudget(acme, { scope: 'team:hand', limit: USD('10'), period: { kind: 'monthly', timezone: 'Europe/Berlin' } });
      const { id } = made;
      const before = new Date().toISOString();
      await acme.record(usageOf('9.5', { scopes: ['team:hand'] }));
      const reply = await acme.post(`budgets/${id}/reset`, { reason: 'agreed' }, { headers: { 'if-match': '"0"' } });
      expect(reply.status).toBe(200);
      expect(reply.headers.get('etag')).toBe('"1"');
      const { status } = reply.body;
      expect(status).toMatchObject({ currentSpend: '0', status: 'ok', activeAlerts: [], periodEnd: made.status.periodEnd, limit: '10' });
      expect(Date.parse(status.periodStart)).toBeGreaterThan(Date.parse(made.status.periodStart));
      expect(reply.body.period).toEqual(made.period);

      await acme.record(usageOf('3', { scopes: ['team:hand'] }));
      const late = await acme.record(usageOf('1', { scopes: ['team:hand'], occurredAt: before }));
      const { data } = (await acme.get(`budgets/${id}/periods?minPosition=${late}`, WAIT)).body;
      expect(data).toMatchObject([
        { start: status.periodStart, end: made.status.periodEnd, status: 'open', spend: '3' },
        { start: made.status.periodStart, end: status.periodStart, status: 'ended', spend: '10.5' },
      ]);
      expect((await acme.get(`budgets/${id}/resets`)).body.data).toEqual([
        {
          type: 'manual',
          by: 'key:admin',
          userId: null,
          previousLimit: '10',
          previousSpend: '9.5',
          newLimit: '10',
          currency: 'USD',
          reason: 'agreed',
          at: status.periodStart,
        },
      ]);
      const hierarchy = (await acme.get('budgets/hierarchy/team/hand')).body;
      expect(hierarchy.budgets[0]).toMatchObject({ currentSpend: '3' });
    });
    test('with another limit, which holds from then on; a stale version and another currency are refused', async () => {
      const { id } = await makeBudget(acme, { scope: 'user:alice', limit: USD('10') });
      const raised = await acme.post(`budgets/${id}/reset`, { newLimit: '25.5' });
      expect(raised.body).toMatchObject({ revision: 2, limit: USD('25.5'), status: { limit: '25.5', currentSpend: '0' } });
      expectProblem(await acme.post(`budgets/${id}/reset`, {}, { headers: { 'if-match': '"0"' } }), 412, 'precondition_failed');
      const foreign = await acme.post(`budgets/${id}/reset`, { newLimit: { amount: '1', currency: 'EUR' } });
      expectProblem(foreign, 400, 'currency', '/newLimit/currency');
      expectProblem(await acme.post(`budgets/${id}/reset`, { limit: '1' }), 400, 'unknown_field', '/limit');
      expect((await acme.get(`budgets/${id}/resets`)).body.data).toMatchObject([
        { userId: 'alice', previousLimit: '10', newLimit: '25.5', reason: null },
      ]);
      // The rule stays what was asked for, also when it is edited.
      const renamed = await acme.patch(`budgets/${id}`, { name: 'Renamed' });
      expect(renamed.body).toMatchObject({ name: 'Renamed', period: { kind: 'monthly' } });
      expect(renamed.body.period.resets).toBeUndefined();
      expect(renamed.body.status.periodStart).toBe(raised.body.status.periodStart);
    });
    test('is 404 where there is no budget, and 409 where no period is open', async () => {
      expectProblem(await acme.post('budgets/none/reset'), 404, 'not_found');
      expectProblem(await acme.get('budgets/none/periods'), 404, 'not_found');
      expectProblem(await acme.get('budgets/none/resets'), 404, 'not_found');
      const past = { kind: 'custom', start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z', recurring: false };
      const { id } = await makeBudget(acme, { scope: 'team:past', period: past });
      expectProblem(await acme.post(`budgets/${id}/reset`), 409, 'no_open_period');
      expectProblem(await acme.as(freshTenant()).post(`budgets/${id}/reset`), 404, 'not_found');
    });
    test('sent again under the same key is one reset', async () => {
      const { id } = await makeBudget(acme, { scope: 'team:once' });
      const headers = { 'idempotency-key': `reset-${id}` };
      const [first, second] = [
        await acme.post(`budgets/${id}/reset`, {}, { headers }),
        await acme.post(`budgets/${id}/reset`, {}, { headers }),
      ];
      expect(second.body).toEqual(first.body);
      expect((await acme.get(`budgets/${id}/resets`)).body.data).toHaveLength(1);
    });
    test('asked as of before it, there was none', async () => {
      const { id, status } = await makeBudget(acme, { scope: 'team:then', limit: USD('10') });
      const position = await acme.record(usageOf('4', { scopes: ['team:then'] }));
      await acme.post(`budgets/${id}/reset`);
      const then = (await acme.get(`budgets/${id}/status?asOf=${position}`)).body;
      expect(then).toMatchObject({ currentSpend: '4', periodStart: status.periodStart });
      const now = (await acme.get(`budgets/${id}/status`)).body;
      expect((await acme.get(`budgets/${id}/status?asOf=${now.position}`)).body).toMatchObject({
        currentSpend: '0',
        periodStart: now.periodStart,
        periodEnd: status.periodEnd,
      });
    });
  });

  describe('with a scheduler', () => {
    let scheduler: Process;
    beforeAll(async () => {
      scheduler = await startScheduler();
    });
    afterAll(() => scheduler.kill());

    test('IN-D16 periods show what was said when they ended, and what came late since', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = await makeBudget(tenant, { limit: USD('10'), period: LONGER, rollover: { mode: 'unused' } });
      const start = new Date().toISOString();
      await tenant.record(usageOf('4', { occurredAt: start }));
      const periods = () => tenant.get(`budgets/${id}/periods?limit=200`);
      const oldest = (body: Reply['body']) => body.data.at(-1);
      await until(periods, (body) => oldest(body).closingSpend === '4');
      await tenant.record(usageOf('5', { occurredAt: start }));
      const body = await until(periods, (answer) => oldest(answer).restatements.length > 0);
      expect(oldest(body)).toMatchObject({
        status: 'ended',
        cause: 'boundary',
        spend: '9',
        closingSpend: '4',
        limit: '10',
        effectiveLimit: '10',
        rolledOver: '0',
        events: 2,
        restatements: [{ restatement: 1, spend: '9', previousSpend: '4', rolledOver: '1', previousRolledOver: '6', compensation: '-5' }],
      });
      expect(oldest(body).endedAt).toBe(oldest(body).end);
      expect(body.data.at(-2)).toMatchObject({ start: oldest(body).end, rolledOver: '1' });
    });

    test('periods and resets come by pages, newest first', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = await makeBudget(tenant, { period: SHORT, limit: USD('10') });
      await until(
        () => tenant.get(`budgets/${id}/resets`),
        (body) => body.data.length >= 2,
      );
      await tenant.post(`budgets/${id}/reset`, { reason: 'by hand' });
      const all = (
        await until(
          () => tenant.get(`budgets/${id}/resets?limit=200`),
          (body) => body.data[0].type === 'automatic' && body.data.some(({ type }: { type: string }) => type === 'manual'),
        )
      ).data;
      const first = (await tenant.get(`budgets/${id}/resets?limit=1`)).body;
      const second = (await tenant.get(`budgets/${id}/resets?limit=1&cursor=${first.nextCursor}`)).body;
      expect(Date.parse(first.data[0].at)).toBeGreaterThanOrEqual(Date.parse(all[0].at));
      expect(Date.parse(second.data[0].at)).toBeLessThan(Date.parse(first.data[0].at));
      expect(all.map(({ at }: { at: string }) => at)).toEqual([...all.map(({ at }: { at: string }) => at)].sort().reverse());
      expect(all.at(-1)).toMatchObject({ type: 'automatic', by: 'reset-scheduler', previousLimit: '10', newLimit: '10', reason: null });

      const page = (await tenant.get(`budgets/${id}/periods?limit=2`)).body;
      const rest = (await tenant.get(`budgets/${id}/periods?limit=200&cursor=${page.nextCursor}`)).body;
      expect(rest.nextCursor).toBeNull();
      const periods = [...page.data, ...rest.data];
      for (const [index, period] of periods.entries()) if (index > 0) expect(period.end).toBe(periods[index - 1].start);
    });
  });
};
