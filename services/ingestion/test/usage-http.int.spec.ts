import { randomUUID } from 'node:crypto';
import { contentHash, partitionOf, tenantStream } from '@bursar/contracts';
import { createDatabase, createPool } from '@bursar/database';
import { freePort } from '@bursar/embedded';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CloudEvent, HTTP } from 'cloudevents';
import { type Answer, send, usage } from './support/usage-client.js';
import { freshTenant, openWorld, PARTITIONS, type World } from './support/world.js';

/** PRODUCT A1, A3, A5, and API.md "Usage". */

let world: World;
let url = '';
let other = '';
beforeAll(async () => {
  world = await openWorld();
  ({ url } = await world.replica());
  other = (await world.replica()).url;
});
afterAll(() => world.close());

const { id: _id, source: _source, ...data } = usage();

describe('CloudEvents 1.0', () => {
  const event = (fields: object = {}): Record<string, unknown> => ({
    specversion: '1.0',
    type: 'bursar.usage.v1',
    source: '/relay',
    id: randomUUID(),
    time: new Date().toISOString(),
    data,
    ...fields,
  });
  const structured = { 'content-type': 'application/cloudevents+json' };
  const batched = { 'content-type': 'application/cloudevents-batch+json' };

  test('structured', async () => {
    const tenant = freshTenant();
    const { status, body } = await send(url, event({ id: 'ce-1', subject: 'user:alice', someextension: 'x' }), {
      tenant,
      headers: structured,
    });
    expect([status, body.results]).toEqual([
      202,
      [{ id: 'ce-1', source: '/relay', status: 'accepted', eventId: expect.any(String), position: expect.any(String) }],
    ]);
    const [stored] = await world.usageOf(tenant);
    expect(JSON.parse(stored?.data ?? '').scopes).toEqual(['user:alice', 'team:ml']);
  });

  test('batched, each for itself and in order', async () => {
    const sent = [event({ id: 'a' }), event({ id: 'b', type: 'com.example.other' }), event({ id: 'e' })];
    const { status, body } = await send(url, sent, { tenant: freshTenant(), headers: batched });
    expect([status, body.results.map(({ id, status, problem }) => [id, status, problem?.code])]).toEqual([
      202,
      [
        ['a', 'accepted', undefined],
        ['b', 'rejected', 'unknown_type'],
        ['e', 'accepted', undefined],
      ],
    ]);
  });

  test.each([
    [{ specversion: '1.0' }, 'cloudevent_attribute'],
    [7, 'not_an_object'],
  ])('a batch with %j in it is 400, and stores nothing', async (odd, code) => {
    const tenant = freshTenant();
    const { status, body } = await send(url, [event({ id: 'a' }), odd], { tenant, headers: batched });
    expect([status, body.code]).toEqual([400, code]);
    expect(await world.usageOf(tenant)).toEqual([]);
  });

  test('the same event by all four ways is one event', async () => {
    const tenant = freshTenant();
    const time = new Date().toISOString();
    const one = event({ id: 'same', time });
    const binary = { 'ce-specversion': '1.0', 'ce-type': 'bursar.usage.v1', 'ce-source': '/relay', 'ce-id': 'same', 'ce-time': time };
    const answers = [
      await send(url, one, { tenant, headers: structured }),
      await send(url, [one], { tenant, headers: batched }),
      await send(url, data, { tenant, headers: binary }),
      await send(url, { id: 'same', source: '/relay', occurredAt: time, ...data }, { tenant }),
    ];
    expect(answers.map(({ body }) => body.results[0]?.status)).toEqual(['accepted', 'duplicate', 'duplicate', 'duplicate']);
  });

  test('what the CloudEvents SDK writes is read', async () => {
    const made = new CloudEvent({ type: 'bursar.usage.v1', source: '/sdk', data, subject: 'user:bob' });
    const encoded = Buffer.from(JSON.stringify(data)).toString('base64');
    const asBytes = new CloudEvent({ type: 'bursar.usage.v1', source: '/sdk', id: made.id, data_base64: encoded, subject: 'user:bob' });
    for (const message of [HTTP.structured(made), HTTP.binary(made), HTTP.structured(asBytes)]) {
      const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)]));
      const { status, body } = await send(url, String(message.body), { tenant: freshTenant(), headers });
      expect([status, body.results[0]?.status, body.results[0]?.id]).toEqual([202, 'accepted', made.id]);
    }
  });

  test.each([
    ['no base64', '%%%', 'wrong_type'],
    ['no JSON', btoa('x'), 'wrong_type'],
    ['no object', btoa('7'), 'wrong_type'],
    ['a forbidden key', btoa('{"__proto__":{}}'), 'wrong_type'],
    ['a number that JSON cannot keep', btoa('{"scopes":["team:ml"],"cost":{"amount":9007199254740993}}'), 'unsafe_integer'],
  ])('data as bytes that hold %s is its rejection', async (_name, encoded, code) => {
    const { status, body } = await send(url, event({ data: undefined, data_base64: encoded }), { headers: structured });
    expect([status, body.results[0]?.problem?.code]).toEqual([202, code]);
  });

  test.each(['specversion', 'id', 'source', 'type'])('a lone envelope without %s is 400', async (name) => {
    const { status, body } = await send(url, event({ [name]: undefined }), { headers: structured });
    expect([status, body.code]).toEqual([400, 'cloudevent_attribute']);
  });

  test('an unknown type alone is its rejection', async () => {
    const { status, body } = await send(url, event({ type: 'com.example.other' }), { headers: structured });
    expect([status, body.results[0]?.problem?.code]).toEqual([202, 'unknown_type']);
  });

  test('a batch that is no array, or empty, is 400', async () => {
    expect((await send(url, event(), { headers: batched })).status).toBe(400);
    expect((await send(url, [], { headers: batched })).status).toBe(400);
  });
});

/** Appends as the api does. */
const post = async (tenant: string, type: string, content: object): Promise<void> => {
  const event = {
    id: randomUUID(),
    type,
    version: 1,
    data: JSON.stringify(content),
    meta: JSON.stringify({ tenant }),
    contentHash: contentHash(content),
  };
  await world.store.append({
    partition: partitionOf(tenant, PARTITIONS),
    stream: tenantStream(tenant),
    events: [event],
    expectedRevision: 'any',
  });
};
const list = (amount: string, unit = 'inputTokens'): object => ({
  listId: randomUUID(),
  name: 'list',
  currency: 'USD',
  effectiveFrom: '1970-01-01T00:00:00Z',
  prices: [{ meter: 'llm.tokens', match: { model: 'gpt-4o' }, unit, amount, per: 1_000_000 }],
});
const quantities = { inputTokens: '1000' };
const tokens = (fields: object = {}): object =>
  usage({ cost: undefined, meter: 'llm.tokens', quantities, dimensions: { model: 'gpt-4o' }, ...fields });

describe('rating (A5)', () => {
  const last = async (tenant: string): Promise<Record<string, unknown>> => JSON.parse((await world.usageOf(tenant)).at(-1)?.data ?? '{}');

  test('without a price it is unpriced, and a list is in force for the next event at every replica', async () => {
    const tenant = freshTenant();
    await send(url, tokens(), { tenant });
    await send(other, tokens(), { tenant });
    expect(await last(tenant)).toMatchObject({ unpriced: ['inputTokens'] });

    await post(tenant, 'PriceListCreated', list('2.50'));
    for (const replica of [url, other]) {
      await send(replica, tokens(), { tenant });
      expect(await last(tenant)).toMatchObject({ rated: { amount: '0.0025', currency: 'USD' } });
    }
    await post(tenant, 'PriceListCreated', list('5'));
    for (const replica of [other, url]) {
      await send(replica, tokens(), { tenant });
      expect(await last(tenant)).toMatchObject({ rated: { amount: '0.005', currency: 'USD' } });
    }
  });

  test('a price of now changes nothing about a repeat', async () => {
    const tenant = freshTenant();
    const event = tokens({ id: 'x' });
    await send(url, event, { tenant });
    await post(tenant, 'PriceListCreated', list('2.50'));
    expect((await send(url, event, { tenant })).body.results[0]?.status).toBe('duplicate');
  });

  test('a cost that was sent stands, and no list of another tenant counts', async () => {
    const [a, b] = [freshTenant(), freshTenant()];
    await post(a, 'PriceListCreated', list('2.50'));
    await send(url, tokens({ cost: { amount: '7', currency: 'USD' } }), { tenant: a });
    expect(await last(a)).not.toHaveProperty('rated');
    await send(url, tokens(), { tenant: b });
    expect(await last(b)).toMatchObject({ unpriced: ['inputTokens'] });
  });

  test('many requests at once see one list or the other, and a posted one at the latest after its answer', async () => {
    const tenant = freshTenant();
    await post(tenant, 'PriceListCreated', list('1'));
    const load = Array.from({ length: 40 }, (_, n) => send(n % 2 === 0 ? url : other, tokens({ id: `n${n}` }), { tenant }));
    const posted = post(tenant, 'PriceListCreated', list('3'));
    await posted;
    const after = await Promise.all(
      Array.from({ length: 10 }, (_, n) => send(n % 2 === 0 ? url : other, tokens({ id: `after${n}` }), { tenant })),
    );
    await Promise.all(load);
    expect(after.every(({ status }) => status === 202)).toBe(true);
    const stored = (await world.usageOf(tenant)).map(({ data: text }) => JSON.parse(text) as { id: string; rated: { amount: string } });
    expect(new Set(stored.filter(({ id }) => id.startsWith('after')).map(({ rated }) => rated.amount))).toEqual(new Set(['0.003']));
    expect(stored.every(({ rated }) => rated.amount === '0.001' || rated.amount === '0.003')).toBe(true);
  });
});

describe('?dryRun=true', () => {
  test('says what it would cost and who would pay, and writes nothing', async () => {
    const tenant = freshTenant();
    await post(tenant, 'PriceListCreated', list('2.50'));
    await projectBudget(tenant);
    const events = [tokens(), usage(), tokens({ quantities: { inputTokens: '1000', images: '2' } }), { id: 'bad' }];
    const { status, body } = await send(url, { events }, { tenant, query: '?dryRun=true' });
    expect(status).toBe(200);
    expect(body.results.map(({ status, cost, unpriced, budgets }) => [status, cost, unpriced, budgets])).toEqual([
      ['accepted', { amount: '0.0025', currency: 'USD' }, [], [{ budgetId: 'b1' }]],
      ['accepted', { amount: '1.25', currency: 'USD' }, [], [{ budgetId: 'b1' }]],
      ['accepted', null, ['images'], [{ budgetId: 'b1' }]],
      ['rejected', null, [], []],
    ]);
    expect(await world.usageOf(tenant)).toHaveLength(0);
  });

  test('a repeat is a duplicate there too', async () => {
    const tenant = freshTenant();
    const event = usage({ id: 'x' });
    await send(url, event, { tenant });
    const { body } = await send(url, { events: [event, usage({ id: 'y' }), usage({ id: 'y' })] }, { tenant, query: '?dryRun=true' });
    expect(body.results.map(({ status }) => status)).toEqual(['duplicate', 'accepted', 'duplicate']);
  });

  test('A3 the same id with other content is refused there too, also within the request', async () => {
    const tenant = freshTenant();
    const event = usage({ id: 'x' });
    await send(url, event, { tenant });
    const other = { cost: { amount: '9' } };
    const events = [event, { ...event, ...other }, usage({ id: 'y' }), usage({ id: 'y', ...other }), usage({ id: 'y' })];
    const codes = ({ body }: Answer) => body.results.map(({ status, problem }) => problem?.code ?? status);
    const rehearsed = await send(url, { events }, { tenant, query: '?dryRun=true' });
    expect(codes(rehearsed)).toEqual(['duplicate', 'idempotency_conflict', 'accepted', 'idempotency_conflict', 'duplicate']);
    expect(codes(await send(url, { events }, { tenant }))).toEqual(codes(rehearsed));
  });

  test('dryRun=false records', async () => {
    const { status } = await send(url, usage(), { tenant: freshTenant(), query: '?dryRun=false' });
    expect(status).toBe(202);
  });
});

/** As the projector keeps a definition event. */
const projectBudget = async (tenant: string): Promise<void> => {
  const definition = {
    name: 'ml',
    scope: 'team:ml',
    limit: { amount: '10', currency: 'USD' },
    period: { kind: 'monthly', timezone: 'UTC', recurring: true },
    thresholds: [],
    levels: {},
    enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
    rollover: { mode: 'none' },
    permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
    validFrom: null,
    validUntil: null,
    metadata: {},
  };
  const database = createDatabase(createPool(world.database.url, { name: 'test', max: 1 }));
  const row = {
    tenant,
    position: 1,
    partition: partitionOf(tenant, PARTITIONS),
    stream: `budget-${tenant}.b1`,
    revision: 0,
    id: randomUUID(),
    type: 'BudgetCreated',
    version: 1,
    data: JSON.stringify({ budgetId: 'b1', definition }),
    meta: JSON.stringify({ tenant }),
    recorded_at: new Date().toISOString(),
  };
  for (const projection of ['balance', 'breakdown'])
    await database
      .insertInto('projection.definition_event')
      .values({ projection, ...row })
      .execute();
  await database.destroy();
};

test('what became of events is counted, on the ops listener alone', async () => {
  const { service, url: own } = await world.replica({ OPS_PORT: String(await freePort()) });
  await send(own, { events: [usage({ id: 'a' }), usage({ id: 'a' }), usage({ id: 'b' }), {}] }, { tenant: freshTenant() });
  const text = await service.metrics.registry.metrics();
  const counts = [...text.matchAll(/bursar_usage_events_total\{via="http",status="(\w+)".*\} (\d+)/g)].map(([, status, count]) => [
    status,
    count,
  ]);
  expect(Object.fromEntries(counts)).toEqual({ accepted: '2', duplicate: '1', rejected: '1' });
});

test('the answer names where the events are, and the ledger holds them there', async () => {
  const tenant = freshTenant();
  const answer = await send(url, { events: [usage({ id: 'a' }), usage({ id: 'b' })] }, { tenant });
  const stored = await world.usageOf(tenant);
  expect(answer.body.results.map(({ eventId, position }) => [eventId, position])).toEqual(
    stored.map(({ id, partition, position }) => [id, `${partition}:${position}`]),
  );
  expect(answer.headers.get('bursar-position')).toBe(answer.body.results[1]?.position);
  expect(JSON.parse(stored[0]?.meta ?? '')).toMatchObject({
    tenant,
    actor: 'key:admin',
    via: 'http',
    correlationId: answer.headers.get('request-id'),
  });
});
