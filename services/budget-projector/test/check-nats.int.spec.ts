import { type TestNats, testNats } from '@bursar/embedded';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect, type Msg, type NatsConnection, headers as natsHeaders } from '@nats-io/transport-node';
import { block, send, Writer } from './support/enforcement.js';
import { type Projector, Projectors } from './support/processes.js';
import { eventually, type Real, real } from './support/real.js';
import { TENANT } from './support/world.js';

let at: Real;
let nats: TestNats;
let nc: NatsConnection;
let projectors: Projectors;
let replicas: readonly Projector[];
beforeAll(async () => {
  [at, nats] = await Promise.all([real(), testNats()]);
  const { username, password, host } = new URL(nats.url);
  nc = await connect({ servers: host, user: username, pass: password });
  projectors = new Projectors(at, { NATS_URL: nats.url, PARTITION_LEASE_MS: '30000' });
  replicas = await Promise.all([projectors.start(), projectors.start()]);
});
afterAll(async () => {
  projectors?.killAll();
  await nc?.close();
  await at?.close();
  await nats?.stop();
});

const request = (subject: string, body: object): Promise<Msg> => nc.request(subject, JSON.stringify(body), { timeout: 9_000 });
const check = (body: object, tenant = TENANT): Promise<Msg> => request(`budgets.${tenant}.check`, body);

test('answers what POST /check answers, whichever of two replicas is asked', async () => {
  const write = new Writer(at, 'nats');
  await write.scope('team:n');
  await write.budget('b-n', { scope: 'team:n', limit: 10 });
  const owners = new Set<string>();
  for (let n = 0; n < 12; n += 1) {
    const reply = await eventually(
      () => check({ scopes: ['team:n'], amount: '11' }),
      (message) => message.json<{ budgetId?: string }>().budgetId !== undefined,
    );
    expect(reply.json()).toMatchObject({ allowed: false, code: 'budget_exceeded', budgetId: 'b-n', remaining: '10' });
    expect(reply.headers?.get('Bursar-Position')).toBe(reply.json<{ position: string }>().position);
    expect(reply.headers?.get('Content-Type')).toBe('application/json');
    owners.add(reply.headers?.get('Bursar-Owner') ?? '');
  }
  expect(owners.size).toBe(1);
});

test('what is no question is an error as NATS services tell them', async () => {
  const refused = await check({ scopes: [], amount: '1' });
  expect([refused.headers?.get('Nats-Service-Error-Code'), refused.headers?.get('Nats-Service-Error')]).toEqual(['400', 'too_few']);
  expect(refused.json()).toMatchObject({ status: 400, code: 'too_few', errors: [{ pointer: '/scopes' }], retryable: false });
  expect(refused.json<{ instance: string }>().instance).toMatch(/^urn:bursar:request:[0-9a-f-]{36}$/);
  expect((await check({ scopes: ['team:n'], amount: '1' }, 'NOT*A*TENANT'.replaceAll('*', '!'))).json()).toMatchObject({ code: 'tenant' });
});

test('answers from what was written before, when it is told to: by headers', async () => {
  const write = new Writer(at, 'nats-position');
  await write.budget('b-p', { scope: 'team:p', limit: 10 });
  const position = await write.use('team:p', '4');
  const asked = (minPosition: string, wait: string): Promise<Msg> => {
    const headers = natsHeaders();
    headers.set('Bursar-Min-Position', minPosition);
    headers.set('Prefer', wait);
    return nc.request(`budgets.${TENANT}.check`, JSON.stringify({ scopes: ['team:p'], amount: '1' }), { timeout: 9_000, headers });
  };
  const reply = await eventually(
    () => asked(`0:${position}`, 'wait=7'),
    (message) => message.json<{ budgetId?: string }>().budgetId !== undefined,
  );
  expect(reply.json()).toMatchObject({ allowed: true, currentSpend: '4' });
  expect((await asked('5:1', 'wait=0')).json()).toMatchObject({ status: 400, code: 'position_format' });
  expect((await asked('soon', 'wait=0')).json()).toMatchObject({ status: 400, errors: [{ pointer: '/minPosition' }] });
});

test.each(['check', 'reserve'])(
  '%s of what is not folded yet decides nothing: what HTTP answers with 202, marked so that no client takes it for a decision',
  async (what) => {
    const minPosition = '0:1000000000';
    const body = { scopes: ['team:n'], amount: '1' };
    for (const prefer of [null, 'wait=0', 'wait=2', null, null]) {
      const headers = natsHeaders();
      headers.set('Bursar-Min-Position', minPosition);
      if (prefer !== null) headers.set('Prefer', prefer);
      const sentAt = performance.now();
      const reply = await nc.request(`budgets.${TENANT}.${what}`, JSON.stringify(body), { timeout: 9_000, headers });
      expect(performance.now() - sentAt).toBeGreaterThan(prefer === 'wait=2' ? 1_900 : 0);
      const header = (name: string): string | undefined => reply.headers?.get(name);
      expect([header('Nats-Service-Error-Code'), header('Nats-Service-Error'), header('Retry-After')]).toEqual(['202', 'not_yet', '1']);
      expect(header('Content-Type')).toBe('application/json');
      expect(reply.json()).toEqual({ position: header('Bursar-Position'), minPosition });
      expect(header('Bursar-Position')).toMatch(/^0:[1-9]\d*$/);
    }
    expect((await request(`budgets.${TENANT}.check`, body)).json()).toMatchObject({ allowed: true, reserved: '0' });
  },
);

test('is found by services discovery, one answer of each replica', async () => {
  const found: { name: string; endpoints: { subject: string }[] }[] = [];
  for await (const message of await nc.requestMany('$SRV.INFO.bursar-enforcement', '', {
    maxWait: 20_000,
    strategy: 'stall',
    stall: 2_000,
  }))
    found.push(message.json());
  const subjects = ['budgets.*.check', 'budgets.*.reserve', 'budgets.*.release'];
  expect(found.map(({ endpoints }) => endpoints.map(({ subject }) => subject))).toEqual([subjects, subjects]);
});

test('reserve and release answer what HTTP answers, whichever replica takes it', async () => {
  const asked = async (what: 'reserve' | 'release', body: object) => request(`budgets.${TENANT}.${what}`, body);
  const held = await asked('reserve', { id: 'n-1', scopes: ['team:n'], amount: '7' });
  expect(held.json()).toMatchObject({ reservationId: 'n-1', status: 'held', remaining: '3', worstOvershoot: '0' });
  expect(held.headers?.get('Bursar-Budget')).toMatch(/reserved="7"/);
  const refused = await asked('reserve', { scopes: ['team:n'], amount: '4' });
  expect([refused.headers?.get('Nats-Service-Error-Code'), refused.headers?.get('Nats-Service-Error')]).toEqual(['402', 'budget_exceeded']);
  expect(refused.json()).toMatchObject({ code: 'budget_exceeded', budgetId: 'b-n', reserved: '7' });
  expect((await asked('release', { reservationId: 'n-1' })).json()).toEqual({});
  expect((await asked('release', { reservationId: 'n-0' })).json()).toMatchObject({ status: 404, code: 'not_found' });
});

test('a user hears of no budget that is not his to see: by NATS, from the owner and from a replica that asks it', async () => {
  const write = new Writer(at, 'nats-user');
  const permissions = { budgetVisibleToUser: false, userCanModifyLimit: false, userCanResetBudget: false };
  const position = await write.budget('secret', { scope: 'team:s', limit: 73 }, { ...block(), permissions });
  const asked = (what: 'check' | 'reserve', body: object): Promise<Msg> => {
    const headers = natsHeaders();
    headers.set('Bursar-Audience', 'user');
    headers.set('Bursar-Min-Position', `0:${position}`);
    headers.set('Prefer', 'wait=7');
    return nc.request(`budgets.${TENANT}.${what}`, JSON.stringify(body), { timeout: 9_000, headers });
  };
  const hold = { id: 's-1', scopes: ['team:s'], amount: '7' };
  const held = await eventually(
    () => asked('reserve', hold),
    (message) => message.json<{ code?: string }>().code !== 'counting',
  );
  expect(held.json()).toMatchObject({ status: 'held', budgets: [] });
  const heard: string[] = [held.string(), ...(held.headers?.values('Bursar-Budget') ?? [])];
  for (let n = 0; n < 6; n += 1) {
    const message = await asked('check', { scopes: ['team:s'], amount: '70' });
    expect(message.json()).toMatchObject({ allowed: false, code: 'budget_exceeded', reason: 'Budget exceeded.' });
    heard.push(message.string(), ...(message.headers?.values('Bursar-Budget') ?? []));
  }
  const owners = new Set<string | null>();
  for (const { url } of replicas) {
    const asUser = { 'bursar-audience': 'user' };
    const answers = [
      await send(url, 'POST', '/check', { scopes: ['team:s'], amount: '1' }, asUser),
      await send(url, 'POST', '/reservations', hold, asUser),
      await send(url, 'GET', '/reservations/s-1', undefined, asUser),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 201, 200]);
    for (const { body, headers } of answers) {
      heard.push(JSON.stringify(body), headers.get('bursar-budget') ?? '');
      owners.add(headers.get('bursar-owner'));
    }
    expect((await send(url, 'POST', '/reservations', hold)).body).toMatchObject({ budgetId: 'secret', remaining: '66' });
  }
  // One owner decided all of it, so one of the two replicas passed its questions on.
  expect(owners.size).toBe(1);
  expect(
    heard.filter((text) => /secret|73|66|\$/.test(text.replaceAll(/"(?:position|resetAt|grantedAt|expiresAt)":"[^"]*"/g, ''))),
  ).toEqual([]);
});
