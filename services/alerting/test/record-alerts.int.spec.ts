import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tell } from './support/events.js';
import { budgetCreated, cleared, crossed } from './support/make.js';
import { startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.boot();
}, 60_000);
afterAll(() => world?.stop());

describe('a crossing', () => {
  test('is recorded once, under the id of its event, with the figures it told and the step that follows', async () => {
    const [, { id = '' } = {}] = await tell(world.store, [budgetCreated('acme', 'b1'), crossed('acme', 'b1')]);
    const [alert] = await world.raised('acme', 1);
    expect(alert).toMatchObject({
      alert_id: id,
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
