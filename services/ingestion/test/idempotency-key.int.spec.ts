import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, send, usage } from './support/usage-client.js';
import { freshTenant, openWorld, type World } from './support/world.js';

/** API.md "Writes": the key is honoured on every POST for 24 h. Two replicas, since the next attempt may go to another one. */
let world: World;
let url = '';
let other = '';
beforeAll(async () => {
  world = await openWorld();
  [{ url }, { url: other }] = await Promise.all([world.replica(), world.replica()]);
});
afterAll(() => world.close());

const keyed = (key: string, headers: Record<string, string> = {}) => ({ headers: { 'idempotency-key': key, ...headers } });
const replayed = ({ headers }: Answer): boolean => headers.get('idempotent-replayed') === 'true';

describe('Idempotency-Key on POST /usage', () => {
  test('the same body again is the first answer, from any replica, and one event', async () => {
    const tenant = freshTenant();
    const event = usage();
    const first = await send(url, event, { tenant, ...keyed('k') });
    const again = await send(other, event, { tenant, ...keyed('k') });
    expect([first.status, first.body.results[0]?.status, replayed(first)]).toEqual([202, 'accepted', false]);
    expect([again.status, again.text, replayed(again)]).toEqual([202, first.text, true]);
    for (const name of ['bursar-position', 'content-type']) expect(again.headers.get(name)).toBe(first.headers.get(name));
    expect(await world.usageOf(tenant)).toHaveLength(1);
  });

  test('IN-A24 with another body it is 409, and nothing of that is stored', async () => {
    const tenant = freshTenant();
    await send(url, usage(), { tenant, ...keyed('k') });
    for (const body of [usage(), { events: [usage()] }]) {
      const { status, body: problem } = await send(other, body, { tenant, ...keyed('k') });
      expect([status, problem.code]).toEqual([409, 'idempotency_key_reused']);
    }
    expect(await world.usageOf(tenant)).toHaveLength(1);
  });

  test('what says otherwise beside the body is another request: query, content type, CloudEvents attributes', async () => {
    const tenant = freshTenant();
    const event = usage();
    const binary = (id: string) => ({ 'ce-specversion': '1.0', 'ce-type': 'bursar.usage.v1', 'ce-source': '/relay', 'ce-id': id });
    await send(url, event, { tenant, ...keyed('query') });
    expect((await send(url, event, { tenant, query: '?dryRun=true', ...keyed('query') })).status).toBe(409);
    expect((await send(url, event, { tenant, ...keyed('query', { 'content-type': 'application/cloudevents+json' }) })).status).toBe(409);
    const { id: _id, source: _source, ...data } = event;
    expect((await send(url, data, { tenant, ...keyed('binary', binary('1')) })).body.results[0]?.status).toBe('accepted');
    expect(replayed(await send(url, data, { tenant, ...keyed('binary', binary('1')) }))).toBe(true);
    expect((await send(url, data, { tenant, ...keyed('binary', binary('2')) })).status).toBe(409);
  });

  test('IN-A25 many at once: one is worked on, the others hear so or get its answer', async () => {
    const tenant = freshTenant();
    const event = usage();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => send(n % 2 ? url : other, event, { tenant, ...keyed('k') })));
    const done = answers.filter(({ status }) => status === 202);
    expect(done.filter((answer) => !replayed(answer))).toHaveLength(1);
    expect(new Set(done.map(({ text }) => text)).size).toBe(1);
    for (const { status, body } of answers) if (status !== 202) expect([status, body.code]).toEqual([409, 'in_flight']);
  });

  test('IN-A26 of another tenant it is another key', async () => {
    const [mine, theirs] = await Promise.all([freshTenant(), freshTenant()].map((tenant) => send(url, usage(), { tenant, ...keyed('k') })));
    expect([mine?.body.results[0]?.status, theirs?.body.results[0]?.status]).toEqual(['accepted', 'accepted']);
  });

  test('rejections are an answer, and so is a body refused as a whole', async () => {
    const tenant = freshTenant();
    for (const [key, body, status] of [
      ['event', usage({ cost: { amount: 'x' } }), 202],
      ['body', '{"events":[]}', 400],
    ] as const) {
      const first = await send(url, body, { tenant, ...keyed(key) });
      const again = await send(other, body, { tenant, ...keyed(key) });
      expect([first.status, again.status, again.text, replayed(again)]).toEqual([status, status, first.text, true]);
      expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
    }
  });

  test.each(['', '   ', 'a\tb', 'k'.repeat(256), 'k'.repeat(257)])('IN-A23 %j is no key', async (key) => {
    const tenant = freshTenant();
    const { status, body } = await send(url, usage(), { tenant, ...keyed(key) });
    expect([status, body.code]).toEqual([400, 'idempotency_key']);
    expect(await world.usageOf(tenant)).toHaveLength(0);
  });

  test('IN-A23 255 characters are one', async () => {
    expect((await send(url, usage(), { tenant: freshTenant(), ...keyed('k'.repeat(255)) })).status).toBe(202);
  });
});
