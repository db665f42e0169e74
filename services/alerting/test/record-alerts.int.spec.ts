import type { AlertRaisedData } from '@bursar/contracts';
import type { Service } from '@bursar/platform';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { StoreLedger } from '../src/adapters/store/store-ledger.js';
import { tell } from './support/events.js';
import { budgetCreated, cleared, crossed, paused } from './support/make.js';
import { startWorld, type World } from './support/world.js';

let world: World;
let service: Service;
beforeAll(async () => {
  world = await startWorld();
  service = await world.boot();
});
afterAll(() => world?.stop());

describe('a crossing', () => {
  test('is recorded once, under the id of its event, with the figures it told and the step that follows', async () => {
    const [, told] = await tell(world.store, [budgetCreated('acme', 'b1'), crossed('acme', 'b1')]);
    const [alert] = await world.raised('acme', 1);
    expect(alert).toMatchObject({
      alert_id: told?.id,
      revision: 0,
      event: 'threshold.crossed',
      type: 'WARNING',
      severity: 'warning',
      budget_id: 'b1',
    });
    expect(alert?.data.message).toBe('Warning: Budget at 80.0% (800.0/1000.0 EUR)');
    expect(alert?.data.details).toMatchObject({
      currentSpend: '800',
      percent: '80',
      timezone: 'Europe/Berlin',
      blockPoint: '1100',
      next: { kind: 'threshold', percent: '95', severity: 'critical', actions: ['notify', 'restrict-models'] },
    });
  });

  test('that is over says so, in an alert of its own', async () => {
    await tell(world.store, [cleared('acme', 'b1')]);
    const alerts = await world.raised('acme', 2);
    expect(alerts[1]).toMatchObject({ revision: 1, event: 'threshold.cleared', type: 'CLEARED', severity: 'info' });
  });
});

test('what was recorded, and what is not on the topics yet, is among the metrics', async () => {
  await world.raised('acme', 2);
  const metrics = await service.metrics.registry.metrics();
  expect(metrics).toMatch(/bursar_alerts_recorded_total\{event="threshold\.crossed",severity="warning",service="alerting"\} 1/);
  expect(metrics).toMatch(/bursar_alerts_unpublished\{service="alerting"\} \d+/);
  expect(metrics).toMatch(/bursar_consumer_lag_events\{consumer="alerting",service="alerting"\} \d+/);
});

test('ADR 0025: figures read later, or other words, do not make another alert', async () => {
  const [, told] = await tell(world.store, [budgetCreated('initech', 'b1'), paused('initech', 'b1', 'audit')]);
  const [alert] = await world.raised('initech', 1);
  expect(alert).toMatchObject({ alert_id: told?.id, type: 'PAUSED' });
  const again = new StoreLedger(world.store);
  const data = { ...alert?.data, message: 'in other words', details: { ...alert?.data.details, currentSpend: '5' } } as AlertRaisedData;
  await again.raise(alert?.partition ?? 0, 'initech', [{ data, meta: { tenant: 'initech' }, causeId: told?.id ?? '' }]);
  await world.settled();
  expect((await world.alerts('initech')).map(({ data: { message } }) => message)).toEqual([alert?.data.message]);
});
