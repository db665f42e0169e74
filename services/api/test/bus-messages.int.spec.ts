import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { headers } from '@nats-io/transport-node';
import { type CloudEvent, HTTP } from 'cloudevents';
import { AsyncApi, type AsyncApiDocument } from './support/asyncapi.js';
import { BusTap, seenOf } from './support/bus-tap.js';
import { Client, WAIT } from './support/client.js';
import { freshTenant, makeBudget, usageOf } from './support/make.js';
import { type Process, startSystem, type TestSystem } from './support/system.js';

/** What the whole system says over NATS, against the document that it serves. */

let system: TestSystem;
let scheduler: Process;
let tap: BusTap;
let api: Client;
let asyncApi: AsyncApi;
beforeAll(async () => {
  system = await startSystem();
  scheduler = await system.startScheduler();
  tap = await BusTap.open(system.nats.url);
  api = new Client(system.url, freshTenant());
  asyncApi = new AsyncApi((await api.get('/asyncapi.json')).body as AsyncApiDocument);
}, 240_000);
afterAll(async () => {
  await tap?.close();
  await scheduler?.kill();
  await system?.stop();
});

const PATIENCE_MS = 60_000;
const eventually = async <T>(what: string, find: () => T | undefined | Promise<T | undefined>): Promise<T> => {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`it did not happen that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** The first event that was fanned out to a tenant of a type and answers to `is`, with its message. */
const fannedOut = (tenant: string, type: string, is: (event: FannedOut) => boolean = () => true) =>
  eventually(`${type} came`, () => {
    for (const message of tap.on(`events.${tenant}.${type}`)) {
      const parsed = JSON.parse(Buffer.from(message.body).toString('utf8')) as FannedOut | FannedOut[];
      const event = [parsed].flat().find(is);
      if (event !== undefined) return { message, event };
    }
    return undefined;
  });
type FannedOut = Readonly<{
  id: string;
  position: string;
  traceparent?: string;
  tracestate?: string;
  meta: string;
  data: Record<string, unknown>;
}>;

const post = (subject: string, body: string | object, named: Readonly<Record<string, string>> = {}) => {
  const fields = headers();
  for (const [name, value] of Object.entries(named)) fields.set(name, value);
  return { subject, body: typeof body === 'string' ? body : JSON.stringify(body), fields };
};
const publish = (...message: Parameters<typeof post>): void => {
  const { subject, body, fields } = post(...message);
  tap.nc.publish(subject, body, { headers: fields });
};
const ask = async (...message: Parameters<typeof post>) => {
  const { subject, body, fields } = post(...message);
  return seenOf(await tap.nc.request(subject, body, { timeout: 10_000, headers: fields }));
};

test('an alert on the bus is the one that HTTP shows, created at the same moment; a list at its position has it', async () => {
  for (let round = 0; round < 5; round += 1) {
    const tenant = new Client(system.url, freshTenant());
    const { id } = await makeBudget(tenant, { limit: { amount: '100', currency: 'USD' } });
    await tenant.record(usageOf('85'));
    const { data } = await eventually('the alert came', () => {
      const message = tap.messages.find(({ subject }) => subject.startsWith(`alerts.${tenant.tenant}.`) && subject.endsWith(`.${id}`));
      return message === undefined ? undefined : (JSON.parse(Buffer.from(message.body).toString('utf8')) as { data: Shown });
    });
    expect((await tenant.get(`alerts/${data.id}`)).body).toMatchObject({ id: data.id, createdAt: data.createdAt });
    const listed = await tenant.get(`alerts?minPosition=${data.position}`, WAIT);
    expect([listed.status, listed.body.data.map(({ id, createdAt }: Shown) => [id, createdAt])]).toEqual([
      200,
      [[data.id, data.createdAt]],
    ]);
  }
});
type Shown = Readonly<{ id: string; createdAt: string; position: string }>;

test.each(['/asyncapi.json', '/api/v1/asyncapi.json'])('%s is AsyncAPI 3.0', async (path) => {
  const { status, body, headers: answered } = await api.get(path);
  expect([status, body.asyncapi, answered.get('content-type')]).toEqual([200, '3.0.0', 'application/json; charset=utf-8']);
  expect((await api.withKey(null).get(path)).status).toBe(401);
});

describe('every message on the bus is one of the document', () => {
  const expectStatus = async (reply: Promise<{ status: number; text: string }>, status: number): Promise<void> => {
    const { status: got, text } = await reply;
    if (got !== status) throw new Error(`${got} instead of ${status}: ${text}`);
  };

  /** What the clock brings about, or a reset by hand. */
  const letTimePass = async (): Promise<void> => {
    const USD = (amount: string) => ({ amount, currency: 'USD' });
    const of = (budgetId: string) => (event: FannedOut) => event.data.budgetId === budgetId;
    const validUntil = new Date(Date.now() + 5_000).toISOString();
    const { id: brief } = await makeBudget(api, { scope: 'user:brief', limit: USD('10'), validUntil });
    const { id: short } = await makeBudget(api, { scope: 'user:short', limit: USD('10'), period: { kind: 'rolling', length: '2s' } });
    const early = { scopes: ['user:short'], occurredAt: new Date().toISOString() };
    await api.record(usageOf('4', early));
    const { id: lasting } = await makeBudget(api, { scope: 'user:lasting', limit: USD('10') });
    await expectStatus(api.post(`budgets/${lasting}/overrides`, { amount: '5', duration: '1s', reason: 'a moment' }), 201);
    await expectStatus(api.post(`budgets/${lasting}/reset`, { reason: 'agreed' }), 200);
    await fannedOut(api.tenant, 'PeriodEnded', (event) => of(short)(event) && event.data.spend === '4');
    await api.record(usageOf('5', early));
    await fannedOut(api.tenant, 'PeriodRestated', of(short));
    await fannedOut(api.tenant, 'PeriodStarted', of(short));
    await fannedOut(api.tenant, 'OverrideExpired', of(lasting));
    await fannedOut(api.tenant, 'BudgetExpired', of(brief));
    await expectStatus(api.delete(`budgets/${short}`), 204);
  };

  /** What is asked of enforcement, and what it refuses; what a proxy tells. */
  const letOthersAsk = async (): Promise<void> => {
    await makeBudget(api, { scope: 'user:tight', limit: { amount: '10', currency: 'USD' } });
    const reserve = async (amount: string): Promise<{ code?: string; reservationId?: string }> => {
      const { body } = await ask(`budgets.${api.tenant}.reserve`, { scopes: ['user:tight'], amount });
      return JSON.parse(Buffer.from(body).toString('utf8')) as { code?: string; reservationId?: string };
    };
    const reservationId = await eventually('a hold was given', async () => (await reserve('4')).reservationId);
    await ask(`budgets.${api.tenant}.release`, { reservationId });
    expect((await reserve('11')).code).toBe('budget_exceeded');
    await fannedOut(api.tenant, 'UsageRefused');
    const notice = { spend: 1, max_budget: 2, token: 'k1', customer_id: null, event: 'threshold_crossed', event_group: 'key' };
    await expectStatus(api.post('budget-alerts', notice), 200);
    await fannedOut(api.tenant, 'LiteLlmNotified');
    await expectStatus(
      api.post('litellm/logs', [{ id: 'costs less than nothing', model: 'gpt-4o', startTime: Date.now() / 1_000, response_cost: -1 }]),
      200,
    );
    await fannedOut(api.tenant, 'UsageQuarantined');
  };

  /** Lets each kind of event happen. */
  const live = async (): Promise<void> => {
    await expectStatus(api.post('scopes', { type: 'organization', id: 'acme', name: 'Acme', attributes: { tier: 'gold' } }), 201);
    await expectStatus(api.post('scopes', { type: 'team', id: 'ml' }), 201);
    await expectStatus(api.patch('scopes/team/ml', { parents: ['organization:acme'] }), 200);
    await expectStatus(api.patch('scopes/team/ml', { name: 'ML' }), 200);
    await expectStatus(api.post('scopes', { type: 'team', id: 'gone' }), 201);
    await expectStatus(api.delete('scopes/team/gone'), 204);
    await expectStatus(api.post('price-lists', { from: 'public-llm' }), 201);
    await expectStatus(api.post('exchange-rates', { from: 'EUR', to: 'USD', rate: '1.08', effectiveFrom: '2020-01-01T00:00:00Z' }), 201);
    // Usage before a budget gives it a past to count; a limit reached and raised crosses and clears.
    await api.record(usageOf('90'), usageOf('0', { cost: undefined, meter: 'llm.tokens', quantities: { inputTokens: '1200' } }));
    const { id } = await makeBudget(api, {
      limit: { amount: '100', currency: 'USD' },
      period: { kind: 'monthly', timezone: 'Europe/Berlin' },
      filter: { dimensions: { model: 'gpt-4*' } },
    });
    const { id: counted } = await makeBudget(api, { limit: { amount: '100', currency: 'USD' } });
    const { event: crossed } = await fannedOut(api.tenant, 'ThresholdCrossed', ({ data }) => data.budgetId === counted);
    await expectStatus(api.post(`alerts/${crossed.id}/acknowledge`, { reason: 'seen' }), 200);
    await expectStatus(api.patch(`budgets/${counted}`, { limit: { amount: '100000', currency: 'USD' } }), 200);
    await fannedOut(api.tenant, 'ThresholdCleared', ({ data }) => data.budgetId === counted);
    await expectStatus(api.patch(`budgets/${id}`, { period: { kind: 'monthly', timezone: 'Asia/Tokyo' } }), 200);
    await expectStatus(api.post(`budgets/${id}/pause`, { reason: 'for a while' }), 200);
    await expectStatus(api.post(`budgets/${id}/resume`, {}), 200);
    const granted = await api.post(`budgets/${id}/overrides`, { amount: '5', duration: '1h', reason: 'a launch' });
    await expectStatus(api.delete(`budgets/${id}/overrides/${granted.body.overrideId}`), 204);
    await expectStatus(api.put('notification-templates/threshold.crossed', { subject: 's', text: '{{spend}}' }), 200);
    await expectStatus(api.post('templates', { name: 'ours', budget: { limit: { amount: '7' }, period: { kind: 'weekly' } } }), 201);
    await expectStatus(api.delete('templates/ours'), 204);
    const things = (amount: string) => ({ meter: 'x', match: {}, unit: 'things', amount });
    const list = await api.post('price-lists', { name: 'Things', effectiveFrom: '2020-01-01T00:00:00Z', prices: [things('1')] });
    await api.record(usageOf('0', { cost: undefined, meter: 'x', quantities: { things: '2' } }));
    await expectStatus(api.post(`price-lists/${list.body.id}/correct`, { prices: [things('2')] }), 200);
    const mistaken = await api.post('usage', usageOf('3'));
    await expectStatus(
      api.post(`usage/${mistaken.body.results[0].eventId}/adjust`, { cost: { amount: '2' }, reason: 'a credit note' }),
      202,
    );
    await expectStatus(api.post(`usage/${mistaken.body.results[0].eventId}/void`, { reason: 'a mistake' }), 202);
    await ask(`budgets.${api.tenant}.check`, { scopes: ['team:ml'], amount: '1' });
    await expectStatus(api.delete(`budgets/${id}`), 204);
    await letOthersAsk();
    await letTimePass();
    // Over NATS, in every form there is.
    const { id: ceId, source, ...data } = usageOf('1');
    const envelope = { specversion: '1.0', type: 'bursar.usage.v1', id: ceId, source, time: new Date().toISOString(), data };
    const ingest = `usage.ingest.${api.tenant}`;
    publish(ingest, usageOf('1'));
    publish(ingest, { events: [usageOf('1'), usageOf('2')] }, { 'Content-Type': 'application/json' });
    publish(ingest, envelope, { 'Content-Type': 'application/cloudevents+json' });
    publish(ingest, [{ ...envelope, id: randomUUID() }], { 'Content-Type': 'application/cloudevents-batch+json' });
    const binary = { 'ce-specversion': '1.0', 'ce-type': 'bursar.usage.v1', 'ce-id': randomUUID(), 'ce-source': 'test' };
    publish(ingest, data, { ...binary, 'Content-Type': 'application/json' });
    await tap.nc.flush();
  };

  /** All of the document that is built and no reply; dead letters have a test of their own. */
  const builtMessages = (): readonly string[] => {
    const channels = Object.values(asyncApi.document.channels).filter(
      ({ address, 'x-built': built }) => built !== false && address !== null && !address.startsWith('usage.rejected.'),
    );
    return [...new Set(channels.flatMap(({ messages }) => Object.keys(messages)))].sort();
  };

  test('whatever happens', async () => {
    await live();
    const kinds = new Set<string>();
    let seen = 0;
    const identified = (): readonly string[] => {
      for (const message of tap.messages.slice(seen)) kinds.add(asyncApi.identify(asyncApi.named(message.subject), message));
      seen = tap.messages.length;
      return [...kinds].sort();
    };
    const wanted = builtMessages();
    expect(wanted.length).toBeGreaterThan(15);
    await eventually('every kind of message came', () => (identified().length >= wanted.length ? true : undefined)).catch(() => undefined);
    expect(identified()).toEqual(wanted);
  }, 240_000);

  test('whatever Bursar sent is CloudEvents to their own SDK, every attribute as it is', () => {
    const types = new Set<string>();
    for (const { subject, headers: named, body } of tap.messages) {
      if (!/^(events|ledger)\./.test(subject)) continue;
      const text = Buffer.from(body).toString('utf8');
      const parsed = [HTTP.toEvent({ headers: { 'content-type': named['Content-Type'] }, body: text })].flat() as CloudEvent<unknown>[];
      const sent = [JSON.parse(text) as Record<string, unknown>].flat();
      expect(parsed).toHaveLength(sent.length);
      parsed.forEach((event, index) => {
        expect(event.validate()).toBe(true);
        const { time, ...attributes } = sent[index] ?? {};
        expect(event).toMatchObject(attributes);
        expect(Date.parse(event.time ?? '')).toBe(Date.parse(String(time)));
        types.add(event.type);
      });
    }
    expect(types.size).toBeGreaterThan(13);
  });

  test('a dead letter', async () => {
    const tenant = freshTenant();
    publish(`usage.ingest.${tenant}`, 'not json', { 'Content-Type': 'application/cloudevents+json' });
    publish(`usage.ingest.${tenant}`, { events: [usageOf('-1'), usageOf('1', { source: '' })] });
    const letters = await eventually('both were put aside', () => {
      const on = tap.on(`usage.rejected.${tenant}`);
      return on.length === 2 ? on : undefined;
    });
    for (const letter of letters) expect(asyncApi.identify(asyncApi.named(letter.subject), letter)).toBe('rejectedUsage');
    expect(letters.map((letter) => letter.headers['Bursar-Reason']).sort()).toEqual(['bad_json', 'negative,text_format']);
  });

  test.each([
    ['results', { events: [usageOf('1'), usageOf('-1')] }, 'usageResults'],
    ['a refusal of the whole', 'not json', 'usageProblem'],
  ])('the reply to usage.record with %s', async (_what, body, name) => {
    const subject = `usage.record.${freshTenant()}`;
    expect(asyncApi.identify(asyncApi.replies('usageRecord'), await ask(subject, body))).toBe(name);
  });

  test('one that is not as described would be found', () => {
    const message = tap.messages.find(({ subject }) => subject.startsWith('ledger.'));
    if (message === undefined) throw new Error('no range was seen');
    const names = asyncApi.named(message.subject);
    expect(asyncApi.identify(names, message)).toBe('ledgerRange');
    const { 'Bursar-Link': _link, ...without } = message.headers;
    expect(() => asyncApi.identify(names, { ...message, headers: without })).toThrow("must have required property 'Bursar-Link'");
    const text = Buffer.from(message.body).toString('utf8');
    for (const [what, by] of [
      ['"specversion":"1.0"', '"specversion":"2.0"'],
      ['"position":"', '"position":"x'],
      ['"data":{', '"data":{"x":1},"no":{'],
    ] as const) {
      expect(text).toContain(what);
      expect(() => asyncApi.identify(names, { ...message, body: Buffer.from(text.replace(what, by)) })).toThrow('ledgerRange/payload');
    }
  });
});

describe('a trace goes the whole way', () => {
  const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
  const trace = { traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`, tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE' };
  const OF_THE_TRACE = expect.stringMatching(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));

  test('from HTTP through the store and NATS to what the event caused', async () => {
    const mine = api.as(freshTenant());
    const { id } = await makeBudget(mine, { limit: { amount: '100', currency: 'USD' } });
    const sent = await mine.post('usage', usageOf('90'), { headers: trace });
    expect(sent.status).toBe(202);
    const [{ eventId, position }] = sent.body.results;

    const usage = await fannedOut(mine.tenant, 'UsageRecorded', (event) => event.id === eventId);
    expect(usage.event).toMatchObject({ traceparent: OF_THE_TRACE, tracestate: trace.tracestate });
    expect(usage.message.headers).toMatchObject({ traceparent: usage.event.traceparent, tracestate: trace.tracestate });
    // A span of our own below the sender's, the same in the ledger, on its range and in the fan-out.
    expect(usage.event.traceparent).not.toBe(trace.traceparent);
    expect(JSON.parse(usage.event.meta)).toMatchObject({ via: 'http', traceparent: usage.event.traceparent, tracestate: trace.tracestate });
    const [partition] = position.split(':');
    const range = tap.on(`ledger.${partition}`).find(({ body }) => Buffer.from(body).includes(eventId));
    expect(range?.headers).toMatchObject({ traceparent: usage.event.traceparent });

    const crossed = await fannedOut(mine.tenant, 'ThresholdCrossed', ({ data }) => data.budgetId === id);
    expect(crossed.event).toMatchObject({ traceparent: usage.event.traceparent, tracestate: trace.tracestate });
    expect(crossed.message.headers).toMatchObject({ traceparent: usage.event.traceparent });
    expect(JSON.parse(crossed.event.meta)).toMatchObject({ via: 'projector', causationId: eventId, traceparent: usage.event.traceparent });
  });

  test('from a command to its event', async () => {
    const mine = api.as(freshTenant());
    expect((await mine.post('scopes', { type: 'team', id: 'ml' }, { headers: trace })).status).toBe(201);
    const { event } = await fannedOut(mine.tenant, 'ScopeRegistered');
    expect(event).toMatchObject({ traceparent: OF_THE_TRACE, tracestate: trace.tracestate });
  });

  test('from a message to its event; one that the event brought itself wins', async () => {
    const { tenant } = api.as(freshTenant());
    const own = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00`;
    const { id, source, ...data } = usageOf('1');
    const envelope = { specversion: '1.0', type: 'bursar.usage.v1', source, data };
    await ask(`usage.record.${tenant}`, { ...envelope, id }, { ...trace, 'Content-Type': 'application/cloudevents+json' });
    publish(`usage.ingest.${tenant}`, usageOf('2', { id: 'plain' }), trace);
    publish(
      `usage.ingest.${tenant}`,
      { ...envelope, id: 'own', traceparent: own },
      { ...trace, 'Content-Type': 'application/cloudevents+json' },
    );
    const traceOf = async (name: unknown) =>
      (await fannedOut(tenant, 'UsageRecorded', (event) => event.data.id === name)).event.traceparent;
    expect([await traceOf(id), await traceOf('plain'), await traceOf('own')]).toEqual([OF_THE_TRACE, OF_THE_TRACE, own]);
  });

  test('not when it is not valid: then there is none, and all else is as ever', async () => {
    const mine = api.as(freshTenant());
    const bad = { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, tracestate: 'a=1' };
    expect((await mine.post('usage', usageOf('1'), { headers: bad })).status).toBe(202);
    const { event, message } = await fannedOut(mine.tenant, 'UsageRecorded');
    expect([event.traceparent, event.tracestate, message.headers.traceparent]).toEqual([undefined, undefined, undefined]);
    expect(event.meta).not.toContain('trace');
  });
});
