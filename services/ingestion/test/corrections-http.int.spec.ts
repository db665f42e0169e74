import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { send, usage } from './support/usage-client.js';
import { freshTenant, KEY, openWorld, type World } from './support/world.js';

/** PRODUCT A8: a recorded event is voided once, or adjusted, by another event. */

let world: World;
let url = '';
let other = '';
beforeAll(async () => {
  world = await openWorld();
  ({ url } = await world.replica());
  other = (await world.replica()).url;
});
afterAll(() => world.close());

const record = async (tenant: string): Promise<string> => {
  const { body } = await send(url, usage({ dimensions: { model: 'gpt-4o' } }), { tenant });
  return body.results[0]?.eventId ?? '';
};

type Voiding = Readonly<{ at?: string; action?: string; body?: unknown; headers?: Record<string, string>; query?: string }>;
const voidUsage = async (
  tenant: string,
  eventId: string,
  { at = url, action = 'void', body = { reason: 'twice' }, headers = {}, query = '' }: Voiding = {},
) => {
  const response = await fetch(`${at}/api/v1/usage/${eventId}/${action}${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'bursar-tenant': tenant, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, answer };
};

describe('a void', () => {
  test('is durable at its own position, and carries the usage as it is stored', async () => {
    const tenant = freshTenant();
    const eventId = await record(tenant);
    const { status, headers, answer } = await voidUsage(tenant, eventId);
    expect([status, answer]).toEqual([
      202,
      { eventId, status: 'accepted', voidEventId: expect.any(String), position: headers.get('bursar-position') },
    ]);
    const [recorded, voided] = await world.usageOf(tenant);
    expect(`${voided?.partition}:${voided?.position}`).toBe(answer.position);
    expect(JSON.parse(voided?.data ?? '')).toEqual({
      eventId,
      reason: 'twice',
      original: {
        position: recorded?.position,
        revision: 0,
        recordedAt: recorded?.recordedAt,
        data: JSON.parse(recorded?.data ?? ''),
      },
    });
  });

  test('repeated, by whomever and for whatever reason, is a duplicate of the first', async () => {
    const tenant = freshTenant();
    const eventId = await record(tenant);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => voidUsage(tenant, eventId, { at: n % 2 === 0 ? url : other, body: { reason: `reason ${n}` } })),
    );
    expect(answers.filter(({ answer }) => answer.status === 'accepted').length).toBe(1);
    expect(new Set(answers.map(({ answer }) => answer.position)).size).toBe(1);
    expect((await world.usageOf(tenant)).map(({ type }) => type)).toEqual(['UsageRecorded', 'UsageVoided']);
  });

  test('under one Idempotency-Key is answered the same bytes', async () => {
    const tenant = freshTenant();
    const eventId = await record(tenant);
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const first = await voidUsage(tenant, eventId, { headers });
    const again = await voidUsage(tenant, eventId, { headers });
    expect([again.answer, again.headers.get('idempotent-replayed')]).toEqual([first.answer, 'true']);
    expect((await voidUsage(tenant, eventId, { headers, body: { reason: 'other' } })).answer.code).toBe('idempotency_key_reused');
  });

  test('leaves the id taken: the same usage sent again is a duplicate and not counted', async () => {
    const tenant = freshTenant();
    const sent = usage();
    const eventId = (await send(url, sent, { tenant })).body.results[0]?.eventId ?? '';
    await voidUsage(tenant, eventId);
    expect((await send(url, sent, { tenant })).body.results[0]?.status).toBe('duplicate');
  });

  test('of what is not usage of this tenant is 404 and changes nothing', async () => {
    const [tenant, stranger] = [freshTenant(), freshTenant()];
    const eventId = await record(tenant);
    await record(stranger);
    const { answer } = await voidUsage(tenant, eventId);
    const unknown = [crypto.randomUUID(), 'nonsense', '%27%3B--', 'x'.repeat(300), `${answer.voidEventId}`];
    for (const id of unknown) expect([id, (await voidUsage(tenant, id)).status]).toEqual([id, 404]);
    expect((await voidUsage(stranger, eventId)).status).toBe(404);
    expect([(await world.usageOf(tenant)).length, (await world.usageOf(stranger)).length]).toEqual([2, 1]);
  });

  test.each([
    { body: {}, code: 'required' },
    { body: { reason: '' }, code: 'text_format' },
    { body: { reason: 7 }, code: 'wrong_type' },
    { body: { reason: 'x', amount: '1' }, code: 'unknown_field' },
    { body: [], code: 'not_an_object' },
    { body: { reason: 'x' }, query: '?dryRun=true', code: 'unknown_field' },
  ])('with a body or query of $body $query is 400 and changes nothing', async ({ body, query, code }) => {
    const tenant = freshTenant();
    const eventId = await record(tenant);
    const { status, answer } = await voidUsage(tenant, eventId, { body, query });
    expect([status, answer.code]).toEqual([400, code]);
    expect((await world.usageOf(tenant)).length).toBe(1);
  });
});

describe('an adjustment', () => {
  const adjust = (tenant: string, eventId: string, amount: unknown, headers: Record<string, string> = {}) =>
    voidUsage(tenant, eventId, { action: 'adjust', body: { cost: { amount, currency: 'EUR' }, reason: 'a credit note' }, headers });

  test('is durable at its own position; each one states the cost anew', async () => {
    const tenant = freshTenant();
    const eventId = await record(tenant);
    const first = await adjust(tenant, eventId, '0.25');
    expect([first.status, first.answer]).toEqual([
      202,
      {
        eventId,
        status: 'accepted',
        adjustmentEventId: expect.any(String),
        cost: { amount: '0.25', currency: 'EUR' },
        position: first.headers.get('bursar-position'),
      },
    ]);
    expect((await adjust(tenant, eventId, '0.25')).answer.status).toBe('accepted');
    const stored = await world.usageOf(tenant);
    expect(stored.map(({ type }) => type)).toEqual(['UsageRecorded', 'UsageRerated', 'UsageRerated']);
    expect(JSON.parse(stored[1]?.data ?? '')).toMatchObject({ eventId, cause: 'adjustment', reason: 'a credit note' });
  });

  test('under one Idempotency-Key is made once, at whichever replica', async () => {
    const tenant = freshTenant();
    const eventId = await record(tenant);
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const first = await adjust(tenant, eventId, '1', headers);
    expect((await adjust(tenant, eventId, '1', headers)).answer).toEqual(first.answer);
    expect((await world.usageOf(tenant)).length).toBe(2);
  });

  test('of voided usage is 409, of what is no usage of the tenant 404', async () => {
    const tenant = freshTenant();
    const eventId = await record(tenant);
    const { answer } = await adjust(tenant, eventId, '1');
    expect((await adjust(tenant, `${answer.adjustmentEventId}`, '1')).status).toBe(404);
    expect((await adjust(freshTenant(), eventId, '1')).status).toBe(404);
    await voidUsage(tenant, eventId);
    const late = await adjust(tenant, eventId, '1');
    expect([late.status, late.answer.code]).toEqual([409, 'usage_voided']);
    expect((await world.usageOf(tenant)).length).toBe(3);
  });

  test.each([
    { amount: '-1', code: 'negative', why: 'regression: litellm #16051, a negative cost' },
    { amount: '1e3', code: 'amount_format', why: 'IN-B2 an exponent' },
    { amount: undefined, code: 'required', why: 'no amount' },
  ])('$why is 400 and changes nothing', async ({ amount, code }) => {
    const tenant = freshTenant();
    const eventId = await record(tenant);
    const { status, answer } = await adjust(tenant, eventId, amount);
    expect([status, answer.code]).toEqual([400, code]);
    expect((await world.usageOf(tenant)).length).toBe(1);
  });
});
