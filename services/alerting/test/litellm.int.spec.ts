import { litellmStream } from '@bursar/contracts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Told, tell, told } from './support/events.js';
import { budgetCreated, crossed, definition } from './support/make.js';
import { startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.boot();
});
afterAll(() => world?.stop());

const notified = (tenant: string, event: string, spend = '9.5'): Told =>
  told({
    type: 'LiteLlmNotified',
    stream: litellmStream(tenant),
    tenant,
    id: crypto.randomUUID(),
    data: { event, body: { spend, max_budget: '10', team_id: 'ml', event_group: 'team' } },
  });

/** The row that tells alerting which budget a scope has, as the projector writes it. */
const projected = async (tenant: string, budgetId: string): Promise<void> => {
  const now = new Date().toISOString();
  await world.db
    .insertInto('projection.budget')
    .values({
      tenant,
      budget_id: budgetId,
      scope: 'team:ml',
      name: 'AI monthly',
      period_kind: 'monthly',
      definition: JSON.stringify(definition()),
      revision: 0,
      created_position: 1,
      created_at: now,
      created_by: null,
      updated_at: now,
      deleted: false,
    })
    .execute();
};

test('what LiteLLM says again and again is one alert, and other notices are none', async () => {
  await tell(world.store, [
    notified('solo', 'threshold_crossed'),
    notified('solo', 'threshold_crossed', '9.6'),
    notified('solo', 'key_created'),
    notified('solo', 'spend_tracked'),
    notified('solo', 'budget_crossed', '10.5'),
  ]);
  const alerts = await world.raised('solo', 2);
  await world.settled();
  expect((await world.alerts('solo')).map(({ type, source, budget_id }) => [type, source, budget_id])).toEqual([
    ['WARNING', 'litellm', null],
    ['CRITICAL', 'litellm', null],
  ]);
  expect(alerts.map(({ revision }) => revision)).toEqual([0, 1]);
});

test('it is merged with what our own budget has said in the period: a warning is not said twice, something graver is', async () => {
  const now = new Date();
  const periodStart = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1)).toISOString().replace('.000Z', 'Z');
  const period = { kind: 'monthly', timezone: 'UTC', recurring: true } as const;
  await projected('merged', 'b1');
  await tell(world.store, [budgetCreated('merged', 'b1', { period }), crossed('merged', 'b1', { periodStart })]);
  await world.raised('merged', 1);
  await tell(world.store, [notified('merged', 'threshold_crossed'), notified('merged', 'budget_crossed', '10.5')]);
  await world.raised('merged', 2);
  await world.settled();
  expect((await world.alerts('merged')).map(({ type, source, budget_id }) => [type, source, budget_id])).toEqual([
    ['WARNING', 'bursar', 'b1'],
    ['CRITICAL', 'litellm', 'b1'],
  ]);
});
