import { describe, expect, test } from '@jest/globals';
import { type Client, type Reply, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

/** What the clock changes while nothing happens. */
const withoutClock = (status: Record<string, unknown>): Record<string, unknown> => {
  const { burnRate: _, projectedTotal: __, projectedExhaustion: ___, daysRemaining: ____, ...rest } = status;
  return rest;
};

/** A fixed pseudo-random sequence, so that a failure repeats. */
const random = (seed: number) => {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    below: (count: number) => Math.floor(next() * count),
    pick: <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T,
  };
};

export const asOf = (api: () => Client): void => {
  describe('as of a past position', () => {
    test.each([1, 2, 3])(
      'every status that was ever live is answered again, history %i',
      async (seed) => {
        const { below, pick } = random(seed);
        const tenant = api().as(freshTenant());
        const seen = new Map<string, Record<string, unknown>>();
        const budgets: string[] = [];
        const recorded: string[] = [];
        const held: string[] = [];
        const look = async (position?: string | null): Promise<void> => {
          for (const id of budgets) {
            const reply = await tenant.get(`budgets/${id}/status${position == null ? '' : `?minPosition=${position}`}`, WAIT);
            if (reply.status === 200) seen.set(`${id} ${reply.body.position}`, reply.body);
          }
        };
        const make = async (): Promise<Reply> => {
          const made = await tenant.post('budgets', {
            name: `B${budgets.length}`,
            scope: pick(['team:ml', 'org:o']),
            limit: { amount: pick(['20', '100', '0', '7.5']), currency: pick(['USD', 'EUR']) },
            period: { kind: pick(['monthly', 'annual', 'weekly']), timezone: pick(['UTC', 'Asia/Tokyo']) },
            enforcement: { autoPause: pick([true, true, false]) },
            thresholds: [
              { percent: 50, severity: 'info' },
              { percent: 80, severity: 'warning' },
              { amount: '5', severity: 'critical' },
            ],
          });
          budgets.push(made.body.id);
          return made;
        };
        const use = async (): Promise<Reply> => {
          const id = `u-${recorded.length}`;
          const cost = below(5) === 0 ? { cost: undefined, meter: 'x', quantities: { things: String(1 + below(3)) } } : {};
          const money = { amount: `${below(9)}.${below(10)}`, currency: pick(['USD', 'USD', 'EUR']) };
          const allocation = [
            { scope: 'team:ml', percent: '30' },
            { scope: pick(['team:x', 'org:o']), percent: '70' },
          ];
          const split = below(4) === 0 ? { allocation } : {};
          const settles = held.length > 0 && below(4) === 0 ? { reservationId: pick(held) } : {};
          const event = usageOf('0', { id, cost: money, dimensions: { model: pick(['a', 'b']) }, ...cost, ...split, ...settles });
          const reply = await tenant.post('usage', { events: [event] });
          recorded.push(reply.body.results[0].eventId);
          return { ...reply, headers: new Headers({ 'bursar-position': reply.body.results[0].position }) };
        };
        const reserve = async (): Promise<Reply> => {
          held.push(`r-${held.length}`);
          const money = { amount: `${1 + below(5)}.${below(10)}`, currency: pick(['USD', 'USD', 'EUR']) };
          return tenant.post('reservations', { id: held.at(-1), scopes: ['team:ml'], ...money, dimensions: { model: pick(['a', 'b']) } });
        };
        const patch = async (body: object): Promise<Reply> => tenant.patch(`budgets/${pick(budgets)}`, body);
        const steps: (() => Promise<Reply>)[] = [
          ...Array(12).fill(use),
          ...Array(4).fill(reserve),
          () => tenant.delete(`reservations/${held.length === 0 ? 'none' : pick(held)}`),
          make,
          () => tenant.post(`budgets/${pick(budgets)}/resume`),
          () => tenant.post(`usage/${pick(recorded)}/void`, { reason: 'wrong' }),
          () =>
            tenant.post(`usage/${pick(recorded)}/adjust`, {
              cost: { amount: `${below(9)}`, currency: pick(['USD', 'USD', 'EUR']) },
              reason: 'wrong',
            }),
          async () => {
            const [list] = (await tenant.get('price-lists')).body.data;
            const prices = [{ meter: 'x', match: {}, unit: 'things', amount: pick(['1', '3']) }];
            return tenant.post(`price-lists/${list?.id ?? 'none'}/correct`, { prices });
          },
          () => tenant.post('exchange-rates', { from: 'EUR', to: 'USD', rate: pick(['2', '1.1']), effectiveFrom: '2020-01-01T00:00:00Z' }),
          () =>
            tenant.post('price-lists', {
              name: 'p',
              currency: 'USD',
              effectiveFrom: '2020-01-01T00:00:00Z',
              prices: [{ meter: 'x', match: {}, unit: 'things', amount: '2' }],
            }),
          () =>
            tenant.put(
              `tenants/${tenant.tenant}/settings`,
              pick([
                { unpricedPolicy: 'fallback_price', fallbackPrice: { amount: '0.5', currency: pick(['USD', 'EUR']) } },
                { unpricedPolicy: null, currency: pick(['USD', 'EUR']) },
              ]),
            ),
          // The same usage through one budget and another: a scope is added to it.
          () =>
            tenant.post(`budgets/${pick(budgets)}/usage`, {
              amount: '3',
              currency: 'USD',
              source: 'again',
              metadata: { requestId: pick(['r1', 'r2']) },
            }),
          () => patch({ limit: { amount: pick(['10', '50', '1000']) } }),
          () => patch({ thresholds: [{ percent: 80, severity: 'warning' }] }),
          () => patch({ rollover: { mode: pick(['none', 'both']) } }),
          () => tenant.post(`budgets/${pick(budgets)}/overrides`, { amount: '5', duration: '1d', reason: 'r' }),
          () => patch({ filter: pick([{ dimensions: { model: 'a' } }, null]) }),
          () => tenant.post(`budgets/${pick(budgets)}/${pick(['pause', 'resume'])}`, {}),
          () => tenant.post('scopes', { type: 'team', id: 'ml', parents: ['org:o'] }),
        ];
        await use();
        await make();
        for (let step = 0; step < 45; step += 1) {
          const reply = await pick(steps)();
          await look();
          await look(reply.headers.get('bursar-position'));
        }
        expect(seen.size).toBeGreaterThan(30);
        for (const [key, live] of seen) {
          const [id, position] = key.split(' ');
          const past = await tenant.get(`budgets/${id}/status?asOf=${position}`);
          expect({ key, ...withoutClock(past.body) }).toEqual({ key, ...withoutClock(live) });
        }
        const tree = (await tenant.get('budgets/hierarchy/org/o')).body;
        const position = [...seen.values()]
          .map((one) => String(one.position))
          .sort((a, b) => Number(a.split(':')[1]) - Number(b.split(':')[1]))
          .at(-1);
        const strip = (node: { budgets: object[]; children: object[] }): object => ({
          ...node,
          budgets: node.budgets.map((one) => ({ ...withoutClock(one as Record<string, unknown>), position: null })),
          children: node.children.map((child) => strip(child as Parameters<typeof strip>[0])),
        });
        expect(strip((await tenant.get(`budgets/hierarchy/org/o?asOf=${position}`)).body)).toEqual(strip(tree));
      },
      120_000,
    );

    test('an instant is the last event recorded by then, read at that clock', async () => {
      const tenant = api().as(freshTenant());
      const { id } = await makeBudget(tenant, { limit: { amount: '10', currency: 'USD' } });
      await tenant.get(`budgets/${id}?minPosition=${await tenant.record(usageOf('9'))}`, WAIT);
      const before = (await tenant.get(`budgets/${id}`)).body;
      const at = new Date().toISOString();
      const position = await tenant.record(usageOf('3'));
      await tenant.patch(`budgets/${id}`, { name: 'Later', limit: { amount: '100' } });
      expect((await tenant.get(`budgets/${id}/status?asOf=${position}`)).body).toMatchObject({
        currentSpend: '12',
        limit: '10',
        status: 'exceeded',
      });
      const then = (await tenant.get(`budgets/${id}?asOf=${at}`)).body;
      expect(then).toMatchObject({ name: 'Monthly', revision: 0, createdBy: before.createdBy, updatedAt: before.updatedAt });
      expect(then.alerts.map((alert: { id: string }) => alert.id)).toEqual(before.alerts.map((alert: { id: string }) => alert.id));
      expect(withoutClock({ ...then.status, position: null })).toEqual(withoutClock({ ...before.status, position: null }));
      expect((await tenant.get(`budgets/hierarchy/team/ml?asOf=${at}`)).body).toMatchObject({
        spend: [{ amount: '9', currency: 'USD' }],
        budgets: [{ id, currentSpend: '9', limit: '10' }],
      });
      await tenant.delete(`budgets/${id}`);
      expectProblem(await tenant.get(`budgets/${id}/status`), 404, 'not_found');
      expect((await tenant.get(`budgets/${id}/status?asOf=${at}`)).body.currentSpend).toBe('9');
    });

    test('what has not happened, and what was not there', async () => {
      const tenant = api().as(freshTenant());
      const { id, status } = await makeBudget(tenant);
      const [partition, position] = String(status.position).split(':').map(Number);
      for (const path of [`budgets/${id}`, `budgets/${id}/status`, 'budgets/hierarchy/team/ml']) {
        expectProblem(await tenant.get(`${path}?asOf=2199-01-01T00:00:00Z`), 400, 'future', '/asOf');
        expectProblem(await tenant.get(`${path}?asOf=${partition}:${(position ?? 0) + 100_000}`), 400, 'future', '/asOf');
        expectProblem(await tenant.get(`${path}?asOf=${((partition ?? 0) + 1) % 4}:1`), 400, 'position_format', '/asOf');
        expectProblem(await tenant.get(`${path}?asOf=yesterday`), 400, undefined, '/asOf');
      }
      expectProblem(await tenant.get(`budgets/${id}/status?asOf=${partition}:0`), 404, 'not_found');
      expectProblem(await tenant.get(`budgets/${id}/status?asOf=2020-01-01T00:00:00Z`), 404, 'not_found');
      expect((await tenant.get('budgets/hierarchy/team/ml?asOf=2020-01-01T00:00:00Z')).body).toMatchObject({
        budgets: [],
        spend: [],
        children: [],
      });
    });
  });
};
