import { createHmac } from 'node:crypto';
import { DEFAULT_SETTINGS } from '@bursar/contracts/folds';
import { SecretBox } from '@bursar/platform';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keepSettings } from './support/folded-settings.js';
import { eventually, freshTenant, KEY, openWorld, readAll, type World } from './support/world.js';

const SECRET = 'a-secret-of-the-installation';
let world: World;
let url: string;
let unconfigured: string;

beforeAll(async () => {
  world = await openWorld();
  ({ url } = await world.replica({ LITELLM_WEBHOOK_SECRET: SECRET }));
  ({ url: unconfigured } = await world.replica());
});
afterAll(() => world.close());

type Answer = Readonly<{ status: number; body: Record<string, unknown> & { results?: { status: string; problem?: { code: string } }[] } }>;

const post = async (path: string, body: string | Buffer<ArrayBuffer>, headers: Record<string, string> = {}, at = url): Promise<Answer> => {
  const response = await fetch(`${at}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
};

const sign = (body: string | Buffer, secret = SECRET): Record<string, string> => ({
  'x-litellm-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
});
const tokenOf = (tenant: string, secret = SECRET): string =>
  `${tenant}.${createHmac('sha256', secret).update(`litellm:${tenant}`).digest('hex')}`;

const notice = (fields: Record<string, unknown>): string =>
  JSON.stringify({ spend: 1, max_budget: 2, token: 'k1', customer_id: null, event: 'threshold_crossed', event_group: 'key', ...fields });

/** Written by hand, as a proxy's text has numbers that JSON.stringify would write otherwise. */
const SPEND =
  '{"spend": 0.0011120000000000001, "max_budget": null, "token": "k1", "customer_id": "krrish12", "user_id": null, "team_id": null, ' +
  '"user_email": "someone@example.com", "event": "spend_tracked", "event_group": "customer", "event_message": "tracked"}';

const eventsOf = async (stream: string): Promise<readonly { type: string; data: Record<string, unknown> }[]> =>
  (await readAll(world.store, stream)).map(({ type, data }) => ({ type, data: JSON.parse(data) as Record<string, unknown> }));

describe('the budget webhook', () => {
  test('a signed notice is kept for the tenant that its user is', async () => {
    const tenant = freshTenant();
    const body = notice({ user_id: tenant, user_email: 'alice@example.com' });
    expect(await post('budget-alerts', body, sign(body))).toMatchObject({ status: 200, body: { status: 'accepted', tenant } });
    const [kept] = await eventsOf(`litellm-${tenant}`);
    expect(kept).toMatchObject({ type: 'LiteLlmNotified', data: { event: 'threshold_crossed', body: { spend: '1', user_id: tenant } } });
    expect(JSON.stringify(kept)).not.toContain('alice@example.com');
  });

  test('spend_tracked is usage, to the digit', async () => {
    const tenant = freshTenant();
    const answer = await post(`budget-alerts?token=${tokenOf(tenant)}`, SPEND);
    expect(answer).toMatchObject({ status: 200, body: { status: 'accepted', usage: { status: 'accepted' } } });
    expect(await eventsOf(`usage-${tenant}`)).toMatchObject([
      {
        type: 'UsageRecorded',
        data: {
          cost: { amount: '0.001112', currency: 'USD' },
          scopes: ['customer:krrish12', 'key:k1'],
          metadata: { litellm: { spend: '0.0011120000000000001', rounded: true } },
        },
      },
    ]);
  });

  test('spend and its notice are stored by one append: a process that dies has both or neither', async () => {
    const tenant = freshTenant();
    const path = `budget-alerts?token=${tokenOf(tenant)}`;
    // The first of a tenant begins its streams; what follows is the ordinary case.
    for (let round = 0; round < 3; round += 1) {
      const { usage, position } = (await post(path, SPEND)).body as Readonly<{ usage: { position: string }; position: string }>;
      const [[partition = 0, first = 0], [, last = 0]] = [usage.position, position].map((text) => text.split(':').map(Number)) as [
        number[],
        number[],
      ];
      expect(last).toBe(first + 1);
      expect(await world.store.appendEnds(partition, first - 1, last)).toEqual([last]);
    }
  });

  test('each notice is another call, unless a key says it is the same', async () => {
    const tenant = freshTenant();
    const path = `budget-alerts?token=${tokenOf(tenant)}`;
    await post(path, SPEND);
    await post(path, SPEND);
    await post(path, SPEND, { 'idempotency-key': 'once' });
    const again = await post(path, SPEND, { 'idempotency-key': 'once' });
    expect(again.body).toMatchObject({ status: 'duplicate', usage: { status: 'duplicate' } });
    expect(await world.usageOf(tenant)).toHaveLength(3);
  });

  test('an event that it does not know is kept without effect', async () => {
    const tenant = freshTenant();
    const answer = await post(`budget-alerts?token=${tokenOf(tenant)}`, notice({ event: 'key_created' }));
    expect(answer).toMatchObject({ status: 200, body: { status: 'ignored', event: 'key_created' } });
    expect([await world.usageOf(tenant), await eventsOf(`litellm-${tenant}`)]).toMatchObject([[], [{ type: 'LiteLlmNotified' }]]);
  });

  test('a spend that is none is kept in quarantine', async () => {
    const tenant = freshTenant();
    const answer = await post(`budget-alerts?token=${tokenOf(tenant)}`, notice({ event: 'spend_tracked', spend: -1 }));
    expect(answer).toMatchObject({ status: 200, body: { usage: { status: 'rejected', problem: { code: 'amount_format' } } } });
    expect(await eventsOf(`usage-${tenant}`)).toMatchObject([{ type: 'UsageQuarantined', data: { code: 'amount_format' } }]);
  });

  const body = notice({ user_id: 'someone' });
  const basic = (password: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(`litellm:${password}`).toString('base64')}`,
  });
  test.each<[string, string, string, Record<string, string>, number]>([
    ['nothing', 'budget-alerts', body, {}, 401],
    ['another secret', 'budget-alerts', body, sign(body, 'another-secret-altogether'), 401],
    ['another body, re-serialised', 'budget-alerts', body, sign(JSON.stringify(JSON.parse(body), null, 1)), 401],
    ['a signature without its algorithm', 'budget-alerts', body, { 'x-litellm-signature': 'abc' }, 401],
    [
      'two signatures',
      'budget-alerts',
      body,
      { 'x-litellm-signature': `${Object.values(sign(body))[0]}, ${Object.values(sign(body))[0]}` },
      401,
    ],
    [
      'an upper-case signature',
      'budget-alerts',
      body,
      { 'x-litellm-signature': String(sign(body)['x-litellm-signature']).toUpperCase() },
      200,
    ],
    ['a token', `budget-alerts?token=${tokenOf('acme')}`, body, {}, 200],
    ['IN-L16 the token of one tenant for another', `budget-alerts?token=${tokenOf('acme').replace('acme', 'globex')}`, body, {}, 401],
    ['IN-L16 a token of another secret', `budget-alerts?token=${tokenOf('acme', 'x'.repeat(20))}`, body, {}, 401],
    ['basic auth', 'budget-alerts', body, basic(tokenOf('acme')), 200],
    ['basic auth with a wrong password', 'budget-alerts', body, basic('guess'), 401],
    ['an API key as the token', `budget-alerts?token=${KEY}`, body, {}, 200],
    ['an API key as a bearer', 'budget-alerts', body, { authorization: `Bearer ${KEY}` }, 200],
    ['a good signature on no JSON', 'budget-alerts', '{"a":', sign('{"a":'), 400],
    ['a good signature on a list', 'budget-alerts', '[]', sign('[]'), 400],
    ['a good signature on nothing', 'budget-alerts', '', sign(''), 400],
  ])('proof: %s', async (_name, path, text, headers, status) => expect((await post(path, text, headers)).status).toBe(status));

  test('an installation without a secret takes nothing that is signed, nor any derived token', async () => {
    for (const [path, headers] of [
      ['budget-alerts', sign(body, '')],
      ['budget-alerts', sign(body)],
      [`budget-alerts?token=${tokenOf('acme', '')}`, {}],
    ] as const) {
      expect((await post(path, body, headers, unconfigured)).status).toBe(401);
    }
  });
});

describe('what a tenant set for its own proxies', () => {
  const box = SecretBox.of(undefined, KEY);
  const set = async (tenant: string, litellm: { webhookToken?: string; webhookSecret?: string }): Promise<void> => {
    const seal = (name: 'webhookToken' | 'webhookSecret'): string | null =>
      litellm[name] === undefined ? null : box.seal(litellm[name], ['settings', tenant, name]);
    const settings = {
      ...DEFAULT_SETTINGS,
      litellm: { proxyUrl: null, masterKey: null, keys: [], webhookToken: seal('webhookToken'), webhookSecret: seal('webhookSecret') },
    };
    await keepSettings(world, tenant, settings);
  };

  test('its token, at once; another one in its place takes it back', async () => {
    const [tenant, other] = [freshTenant(), freshTenant()];
    await set(tenant, { webhookToken: `token of ${tenant}` });
    const path = (token: string): string => `budget-alerts?token=${encodeURIComponent(token)}`;
    expect(await post(path(`token of ${tenant}`), SPEND)).toMatchObject({ status: 200, body: { tenant } });
    expect((await post(path(`token of ${other}`), SPEND)).status).toBe(401);
    await set(tenant, { webhookToken: 'a newer one' });
    await eventually(async () => (await post(path(`token of ${tenant}`), SPEND)).status === 401);
    expect((await post(path('a newer one'), SPEND)).status).toBe(200);
  });

  test('a token that two tenants chose is nobody’s', async () => {
    const token = `same-${freshTenant()}`;
    await set(freshTenant(), { webhookToken: token });
    await set(freshTenant(), { webhookToken: token });
    expect((await post(`budget-alerts?token=${token}`, SPEND)).status).toBe(401);
  });

  test('its secret signs for it alone', async () => {
    const [tenant, other] = [freshTenant(), freshTenant()];
    await set(tenant, { webhookSecret: 'of its own' });
    const body = notice({ user_id: tenant });
    expect(await post('budget-alerts', body, sign(body, 'of its own'))).toMatchObject({ status: 200, body: { tenant } });
    expect((await post('budget-alerts', SPEND, { ...sign(SPEND, 'of its own'), 'bursar-tenant': tenant })).status).toBe(200);
    const foreign = notice({ user_id: other });
    expect((await post('budget-alerts', foreign, sign(foreign, 'of its own'))).status).toBe(401);
  });
});

describe('the log callback', () => {
  const record = (id: string, fields: Record<string, unknown> = {}): Record<string, unknown> => ({
    id,
    call_type: 'acompletion',
    status: 'success',
    model: 'gpt-4o',
    custom_llm_provider: 'openai',
    startTime: Date.now() / 1_000 - 60,
    endTime: Date.now() / 1_000 - 59,
    response_cost: 0.00022500000000000002,
    prompt_tokens: 10,
    completion_tokens: 20,
    metadata: { user_api_key_team_id: 'ml' },
    messages: [{ role: 'user', content: 'the canary prompt' }],
    ...fields,
  });
  const log = (tenant: string, body: string | Buffer<ArrayBuffer>, headers = {}) =>
    post('litellm/logs', body, { authorization: `Bearer ${tokenOf(tenant)}`, ...headers });

  test.each([
    ['a list', (records: object[]) => JSON.stringify(records)],
    ['lines', (records: object[]) => `${records.map((one) => JSON.stringify(one)).join('\n')}\n`],
    ['lines of Windows', (records: object[]) => records.map((one) => JSON.stringify(one)).join('\r\n')],
  ])('IN-L1 %s', async (_name, write) => {
    const tenant = freshTenant();
    const answer = await log(tenant, write([record('a'), record('b')]));
    expect(answer).toMatchObject({ status: 200, body: { accepted: 2, duplicate: 0, rejected: 0 } });
    const [first] = await eventsOf(`usage-${tenant}`);
    expect(first?.data).toMatchObject({ id: 'a:completion', cost: { amount: '0.000225', currency: 'USD' } });
  });

  test('IN-L1 a single record', async () => {
    const tenant = freshTenant();
    expect((await log(tenant, JSON.stringify(record('a')))).body).toMatchObject({ accepted: 1 });
  });

  test('IN-L14 a whole batch again is all duplicates', async () => {
    const tenant = freshTenant();
    const body = JSON.stringify(Array.from({ length: 100 }, (_, n) => record(`r${n}`)));
    expect((await log(tenant, body)).body).toMatchObject({ accepted: 100 });
    expect((await log(tenant, body)).body).toMatchObject({ accepted: 0, duplicate: 100, rejected: 0 });
    expect(await world.usageOf(tenant)).toHaveLength(100);
  });

  test('IN-L15 one bad of 100 sinks nobody else, and is kept without its prompt', async () => {
    const tenant = freshTenant();
    const records = Array.from({ length: 100 }, (_, n) => record(`r${n}`, n === 41 ? { response_cost: -1 } : {}));
    const { status, body } = await log(tenant, JSON.stringify(records));
    expect([status, body.accepted, body.rejected]).toEqual([200, 99, 1]);
    expect(body.results?.[41]).toMatchObject({ status: 'rejected', problem: { code: 'negative' } });
    const all = await eventsOf(`usage-${tenant}`);
    expect(all.filter(({ type }) => type === 'UsageQuarantined')).toMatchObject([
      { data: { id: 'r41:completion', record: { response_cost: '-1' } } },
    ]);
    expect(JSON.stringify(all)).not.toContain('canary');
    await log(tenant, JSON.stringify(records));
    expect(await world.usageOf(tenant)).toHaveLength(100);
  });

  test('IN-L1 one bad line of many', async () => {
    const tenant = freshTenant();
    const { body } = await log(tenant, `${JSON.stringify(record('a'))}\n{"broken":\n${JSON.stringify(record('b'))}`);
    expect(body).toMatchObject({ accepted: 2, rejected: 1 });
  });

  test('IN-L7 the second callback of a call with another figure does not count', async () => {
    const tenant = freshTenant();
    const { body } = await log(tenant, JSON.stringify([record('a'), record('a', { call_type: 'completion', response_cost: 0.5 })]));
    expect(body).toMatchObject({ accepted: 1, rejected: 1 });
    expect(await world.usageOf(tenant)).toHaveLength(1);
  });

  test('IN-L2 IN-L3 what has no cost waits for a price, and a zero stays where no price is known', async () => {
    const tenant = freshTenant();
    await log(tenant, JSON.stringify([record('none', { response_cost: null }), record('zero', { response_cost: 0 })]));
    const [none, zero] = await eventsOf(`usage-${tenant}`);
    expect([none?.data.cost, none?.data.unpriced, zero?.data.cost]).toEqual([
      undefined,
      ['inputTokens', 'outputTokens'],
      { amount: '0', currency: 'USD' },
    ]);
  });

  test('IN-L11 5 MB of prompt with deep nesting is dropped, the record counts', async () => {
    const tenant = freshTenant();
    const response = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown;
    const body = JSON.stringify([record('big', { messages: 'x'.repeat(5 * 1024 * 1024), response })]);
    expect((await log(tenant, body)).body).toMatchObject({ accepted: 1 });
    expect(JSON.stringify(await eventsOf(`usage-${tenant}`)).length).toBeLessThan(5_000);
  });

  test('IN-L13 keys that would reach a prototype are nothing to it', async () => {
    const tenant = freshTenant();
    const body = JSON.stringify([record('a')]).replace(
      '"metadata":{',
      '"__proto__":{"x":1},"metadata":{"__proto__":{"user_api_key_user_id":"m"},',
    );
    expect((await log(tenant, body)).body).toMatchObject({ accepted: 1 });
  });

  test('IN-L10 what is too old is kept aside', async () => {
    const tenant = freshTenant();
    const { body } = await log(tenant, JSON.stringify([record('old', { startTime: '2025-01-24 09:20:46.847371', endTime: null })]));
    expect(body).toMatchObject({ rejected: 1, results: [{ problem: { code: 'too_old' } }] });
    expect(await eventsOf(`usage-${tenant}`)).toMatchObject([{ type: 'UsageQuarantined', data: { code: 'too_old' } }]);
  });

  test.each([
    ['IN-L16 no credential', JSON.stringify([]), { authorization: '' }, 401],
    ['IN-L16 a wrong bearer', JSON.stringify([]), { authorization: 'Bearer nobody' }, 401],
    ['no JSON', 'hello', {}, 400],
    ['nothing', '', {}, 400],
    ['an empty list', '[]', {}, 200],
    ['not UTF-8', Buffer.from([0x5b, 0xff, 0x5d]), {}, 400],
    ['another type', '[]', { 'content-type': 'text/plain' }, 415],
  ] as const)('%s', async (_name, body, headers, status) => expect((await log('acme', body as string, headers)).status).toBe(status));
});
