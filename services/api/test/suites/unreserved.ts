import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** Usage without a reservation, on budgets that block (RELIABILITY F29). */
export const unreserved = (api: () => Client): void => {
  describe('F29 usage without a reservation', () => {
    let acme: Client;
    const deny = async (): Promise<void> => {
      const reply = await acme.put(`tenants/${acme.tenant}/settings`, { unreservedPolicy: 'deny' });
      expect([reply.status, reply.body.unreservedPolicy]).toEqual([200, 'deny']);
    };
    const send = async (event: object): Promise<unknown> => {
      const [{ status, problem }] = (await acme.post('usage', event)).body.results;
      return problem === undefined ? status : [status, problem.code, problem.errors?.[0].pointer];
    };
    const flagsIn = async (budgetId: string): Promise<readonly unknown[]> => {
      const { data } = (await acme.get(`budgets/${budgetId}/usage`)).body;
      return data.map(({ kind, amount, flags = null }: Record<string, unknown>) => [kind, amount, flags]).reverse();
    };
    const REFUSED = ['rejected', 'unreserved', '/reservationId'];
    beforeEach(() => {
      acme = api().as(freshTenant());
    });

    test('it is counted, and flagged in the history of each budget that blocked at that time', async () => {
      const { id: strict } = await makeBudget(acme, { limit: { amount: '10', currency: 'USD' } });
      const { id: told } = await makeBudget(acme, { name: 'told', enforcement: { mode: 'notify' } });
      await acme.record(usageOf('4'));
      await acme.post('reservations', { id: 'held', scopes: ['team:ml'], amount: '3' });
      await acme.record(usageOf('2', { reservationId: 'held' }), usageOf('0'));
      await acme.patch(`budgets/${strict}`, { enforcement: { mode: 'notify' } });
      const position = await acme.record(usageOf('1'));
      await acme.patch(`budgets/${strict}`, { enforcement: { mode: 'block' } });
      const { overrideId } = (await acme.post(`budgets/${strict}/overrides`, { enforcement: 'off', duration: 'PT1H', reason: 'r' })).body;
      await acme.record(usageOf('5'));
      await acme.delete(`budgets/${strict}/overrides/${overrideId}`);
      await acme.record(usageOf('6'));
      const { id: later } = await makeBudget(acme, { name: 'later' });
      await acme.get(`budgets/${later}/status?minPosition=${position}`, { headers: { prefer: 'wait=5' } });

      const amounts = ['4', '2', '0', '1', '5', '6'];
      expect(await flagsIn(strict)).toEqual([
        ['usage', '4', ['unreserved']],
        ['usage', '2', []],
        ['usage', '0', null],
        ['usage', '1', null],
        ['usage', '5', null],
        ['usage', '6', ['unreserved']],
      ]);
      expect(await flagsIn(told)).toEqual(amounts.map((amount) => ['usage', amount, amount === '2' ? [] : null]));
      // Made afterwards, it refused nothing when they were recorded.
      expect(await flagsIn(later)).toEqual(amounts.map((amount) => ['usage', amount, amount === '2' ? [] : null]));
    });

    test('a void of it is a line without the flag', async () => {
      const { id } = await makeBudget(acme);
      const { eventId } = (await acme.post('usage', usageOf('4'))).body.results[0];
      await acme.post(`usage/${eventId}/void`, { reason: 'r' });
      expect(await flagsIn(id)).toEqual([
        ['usage', '4', ['unreserved']],
        ['void', '-4', null],
      ]);
    });

    test('deny rejects it where a budget that blocks counts it, on whatever level, and nothing is stored', async () => {
      await acme.post('scopes', { type: 'department', id: 'd' });
      await acme.post('scopes', { type: 'team', id: 'ml', parents: ['department:d'] });
      await acme.post('scopes', { type: 'team', id: 'free' });
      await makeBudget(acme, { scope: 'team:free', enforcement: { mode: 'notify' } });
      await makeBudget(acme, { scope: 'team:free', filter: { category: 'IMAGES' } });
      const { id: strict } = await makeBudget(acme, { scope: 'department:d' });
      await makeBudget(acme, { name: 'pool', scope: 'team:x', members: ['user:a', 'user:b'] });
      await makeBudget(acme, { scope: 'team:gone', validUntil: new Date(Date.now() + 1_000).toISOString() });
      await deny();
      expect(await send(usageOf('1'))).toEqual(REFUSED);
      expect(await send(usageOf('1', { scopes: ['user:b'] }))).toEqual(REFUSED);
      expect(await send(usageOf('1', { scopes: ['team:x'] }))).toBe('accepted');
      expect(await send(usageOf('1', { scopes: ['team:free'] }))).toBe('accepted');
      expect(await send(usageOf('1', { scopes: ['team:free'], category: 'IMAGES' }))).toEqual(REFUSED);
      const split = [
        { scope: 'team:free', percent: '50' },
        { scope: 'team:ml', percent: '50' },
      ];
      expect(await send(usageOf('1', { scopes: ['team:free'], allocation: split }))).toEqual(REFUSED);
      expect(await send(usageOf('1', { scopes: ['team:gone'], occurredAt: new Date(Date.now() + 60_000).toISOString() }))).toBe('accepted');
      expect((await acme.get(`budgets/${strict}/status`)).body).toMatchObject({ currentSpend: '0' });
      expect((await acme.get(`budgets/${strict}/usage`)).body.data).toEqual([]);

      // On the root, it counts everything.
      await makeBudget(acme, { scope: `tenant:${acme.tenant}` });
      expect(await send(usageOf('1', { scopes: ['team:free'] }))).toEqual(REFUSED);
      expect((await acme.post('usage?dryRun=true', usageOf('1'))).body.results[0]).toMatchObject({ problem: { code: 'unreserved' } });
      expectProblem(
        await acme.post(`budgets/${strict}/usage`, { amount: '1', source: 's', description: 'd' }),
        400,
        'unreserved',
        '/reservationId',
      );
    });

    test('deny lets pass what names a reservation, costs nothing, was recorded before, or meets an enforcement that is off', async () => {
      const { id } = await makeBudget(acme);
      const before = usageOf('1');
      expect(await send(before)).toBe('accepted');
      await acme.post('reservations', { id: 'held', scopes: ['team:ml'], amount: '3' });
      await deny();
      expect(await send(before)).toBe('duplicate');
      expect(await send({ ...before, cost: { amount: '2', currency: 'USD' } })).toEqual(['rejected', 'idempotency_conflict', undefined]);
      expect(await send(usageOf('0'))).toBe('accepted');
      expect(await send(usageOf('2', { reservationId: 'held' }))).toBe('accepted');
      expect(await send(usageOf('2'))).toEqual(REFUSED);
      const mixed = await acme.post('usage', { events: [usageOf('2'), usageOf('0'), usageOf('2')] });
      expect(mixed.body.results.map(({ status }: { status: string }) => status)).toEqual(['rejected', 'accepted', 'rejected']);
      await acme.post(`budgets/${id}/overrides`, { enforcement: 'off', duration: 'PT1H', reason: 'r' });
      expect(await send(usageOf('2'))).toBe('accepted');
      const back = await acme.put(`tenants/${acme.tenant}/settings`, { unreservedPolicy: null });
      expect(back.body.unreservedPolicy).toBe('count');
    });
  });
};
