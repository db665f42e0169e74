import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { freshTenant, makeBudget, usageOf } from '../support/make.js';

const MINUTE_MS = 60_000;
type Alert = Readonly<{ event: string; percent: number; type: string; periodStart: string; message: string }>;

/** RELIABILITY §6, "alerts spam or go silent": what was reported of others, against the whole system. */
export const alertRegressions = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api();
  });
  const tenant = (): Client => acme.as(freshTenant());
  const limited = (client: Client, percents: readonly number[], more: object = {}) =>
    makeBudget(client, {
      limit: { amount: '100', currency: 'USD' },
      thresholds: percents.map((percent) => ({ percent, severity: 'warning' })),
      ...more,
    });
  /** All alerts, oldest first, once alerting has recorded what follows from the position. */
  const alertsAfter = async (client: Client, position: string): Promise<readonly Alert[]> => {
    // The first wait lets the cause raise its alert, which the projector says after it has shown the cause; the second, that alert be recorded.
    await settled(client, position);
    const { headers } = await client.post('scopes', { type: 'team', id: `mark-${position.replace(':', '-')}` });
    await settled(client, headers.get('bursar-position') ?? '');
    const list = async () => (await client.get('alerts?limit=200')).body.data.toReversed();
    let found = await list();
    for (let quiet = 0; quiet < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const now = await list();
      quiet = now.length === found.length ? quiet + 1 : 0;
      found = now;
    }
    return found;
  };
  const settled = async (client: Client, position: string): Promise<void> => {
    for (;;) {
      const { status } = await client.get(`alerts?minPosition=${position}`, { headers: { prefer: 'wait=5' } });
      if (status === 200) return;
    }
  };

  describe('alerts neither spam nor go silent', () => {
    test('LiteLLM #3113, #3738: spend that stays over a threshold raises one alert, however many requests follow', async () => {
      const client = tenant();
      await limited(client, [80]);
      let position = '';
      for (let request = 0; request < 12; request += 1) position = await client.record(usageOf(request === 0 ? '85' : '1'));
      expect((await alertsAfter(client, position)).map(({ percent }) => percent)).toEqual([80]);
    });

    test('LiteLLM #16185: a threshold that has alerted once alerts again: in the next period, and after it was cleared', async () => {
      const client = tenant();
      await limited(client, [80], { period: { kind: 'rolling', length: 'PT2M' } });
      // Producers' clocks may be ahead by some minutes: that is the next period, without waiting for it.
      const ahead = { occurredAt: new Date(Date.now() + 3 * MINUTE_MS).toISOString() };
      await client.record(usageOf('90'));
      const { body } = await client.post('usage', usageOf('90', ahead));
      await client.post(`usage/${body.results[0].eventId}/void`, { reason: 'a mistake' });
      const position = await client.record(usageOf('95', ahead));
      const raised = await alertsAfter(client, position);
      expect(raised.map(({ event }) => event)).toEqual([
        'threshold.crossed',
        'threshold.crossed',
        'threshold.cleared',
        'threshold.crossed',
      ]);
      expect(new Set(raised.map(({ periodStart }) => periodStart)).size).toBe(2);
    });

    test('LiteLLM #32597: one event that jumps over several thresholds raises each', async () => {
      const client = tenant();
      await limited(client, [25, 50, 75, 100]);
      const raised = await alertsAfter(client, await client.record(usageOf('130')));
      expect(raised.map(({ percent, type }) => [percent, type])).toEqual([
        [25, 'WARNING'],
        [50, 'WARNING'],
        [75, 'WARNING'],
        [100, 'LIMIT'],
      ]);
    });

    test('openmeter#3200: a threshold reached before the budget was made alerts all the same', async () => {
      const client = tenant();
      await client.record(usageOf('90'));
      const { status } = await limited(client, [80]);
      expect((await alertsAfter(client, status.position)).length).toBeLessThanOrEqual(1);
      const raised = await alertsAfter(client, await client.record(usageOf('1')));
      expect(raised).toMatchObject([{ percent: 80, event: 'threshold.crossed' }]);
    });

    test('lago-api#4954: nobody has to look for an alert to be raised', async () => {
      const client = tenant();
      await limited(client, [80]);
      await client.record(usageOf('85'));
      for (;;) {
        const { body } = await client.get('alerts');
        if (body.data.length === 1) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });

    test('blnk#318: an edit that leaves a threshold crossed says nothing; one that leaves it clears it, and it can cross again', async () => {
      const client = tenant();
      const { id } = await limited(client, [80]);
      await client.record(usageOf('90'));
      const limit = (amount: string) => client.patch(`budgets/${id}`, { limit: { amount, currency: 'USD' } });
      await limit('105');
      await limit('110');
      await limit('200');
      await limit('150');
      const last = await limit('100');
      const raised = await alertsAfter(client, last.headers.get('bursar-position') ?? '');
      expect(raised.map(({ event }) => event)).toEqual(['threshold.crossed', 'threshold.cleared', 'threshold.crossed']);
    });
  });
};
