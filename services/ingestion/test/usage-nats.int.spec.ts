import { USAGE_INTAKE_STREAM } from '@bursar/contracts/bus';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectTo, deadLetters, publish, request } from './support/nats-client.js';
import { send, usage } from './support/usage-client.js';
import { eventually, freshTenant, openWorld, type Replica, type World } from './support/world.js';

/** PRODUCT A2, RELIABILITY §4.5. */

let world: World;
let nc: NatsConnection;
let replicas: readonly Replica[] = [];
beforeAll(async () => {
  world = await openWorld({ nats: true });
  replicas = [await world.replica(), await world.replica()];
  nc = await connectTo(world.nats?.url ?? '');
  await eventually(intakeIsUp);
});
afterAll(async () => {
  await nc.close();
  await world.close();
});

const intakeIsUp = async (): Promise<boolean> => {
  try {
    await (await jetstreamManager(nc)).consumers.info(USAGE_INTAKE_STREAM, 'ingestion');
    return true;
  } catch {
    return false;
  }
};

/** Nothing waits to be delivered or acknowledged. */
const settled = async (): Promise<boolean> => {
  const { num_pending, num_ack_pending } = await (await jetstreamManager(nc)).consumers.info(USAGE_INTAKE_STREAM, 'ingestion');
  return num_pending === 0 && num_ack_pending === 0;
};
const stored = async (tenant: string): Promise<number> => (await world.usageOf(tenant)).length;
const { id: _id, source: _source, ...data } = usage();
const envelope = (fields: object = {}): object => ({
  specversion: '1.0',
  type: 'bursar.usage.v1',
  source: '/relay',
  id: 'ce-1',
  data,
  ...fields,
});
const STRUCTURED = { 'Content-Type': 'application/cloudevents+json' };

describe('usage.ingest.<tenant>', () => {
  test('one event, a batch and a CloudEvent are recorded, and acknowledged', async () => {
    const tenant = freshTenant();
    await publish(nc, tenant, usage());
    await publish(nc, tenant, { events: [usage(), usage()] });
    await publish(nc, tenant, envelope(), STRUCTURED);
    await eventually(async () => (await stored(tenant)) === 4);
    await eventually(settled);
    expect(JSON.parse((await world.usageOf(tenant))[0]?.meta ?? '')).toMatchObject({ tenant, via: 'nats' });
    expect(await deadLetters(nc, tenant)).toEqual([]);
  });

  test('A3 what came over HTTP counts once, whatever comes over NATS', async () => {
    const tenant = freshTenant();
    const event = usage();
    await send(replicas[0]?.url ?? '', event, { tenant });
    await publish(nc, tenant, event);
    await publish(nc, tenant, { events: [event, event] });
    await eventually(settled);
    expect(await stored(tenant)).toBe(1);
    expect(await deadLetters(nc, tenant)).toEqual([]);
  });

  const POISON: readonly (readonly [id: string, body: unknown, headers: Record<string, string>, reason: string, good?: number])[] = [
    ['IN-E1 not JSON', 'not json', {}, 'bad_json'],
    ['IN-E1 empty', '', {}, 'empty_body'],
    ['IN-E1 one byte', Uint8Array.from([0xff]), {}, 'bad_encoding'],
    ['IN-E1 a large message', ' '.repeat(900_000), {}, 'bad_json'],
    ['IN-E1 deep', '['.repeat(20_000), {}, 'too_deep'],
    ['IN-E2 unknown type', envelope({ type: 'bursar.usage.v999' }), STRUCTURED, 'unknown_type'],
    ['IN-E2 missing version', envelope({ specversion: undefined }), STRUCTURED, 'cloudevent_attribute'],
    ['IN-E2 another version', envelope({ specversion: '9.9' }), STRUCTURED, 'not_allowed'],
    ['IN-E3 the envelope names another tenant', envelope({ tenantid: 'other' }), STRUCTURED, 'tenant'],
    ['IN-E3 the event names another tenant', usage({ tenant: 'other' }), {}, 'unknown_field'],
    ['IN-E9 an odd content type', usage(), { 'Content-Type': 'text/plain\u00a0' }, 'unsupported_media_type'],
    ['a bad event', usage({ cost: { amount: '-1' } }), {}, 'negative'],
    ['a batch with one bad event', { events: [usage(), usage({ id: '' }), usage()] }, {}, 'text_format', 2],
    ['a batch that is empty', { events: [] }, {}, 'batch_size'],
  ];

  test.each(POISON)('%s is put aside with its reason and its bytes, once', async (_name, body, headers, reason, good = 0) => {
    const tenant = freshTenant();
    await publish(nc, tenant, body, headers);
    await eventually(async () => (await deadLetters(nc, tenant)).length > 0);
    await eventually(settled);
    const letters = await deadLetters(nc, tenant);
    const sent = body instanceof Uint8Array ? body : new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
    expect(letters.map((letter) => [letter.reason, Buffer.compare(letter.data, sent)])).toEqual([[reason, 0]]);
    expect(await stored(tenant)).toBe(good);
  });

  test('the same id with other content is put aside, and the first stands', async () => {
    const tenant = freshTenant();
    await publish(nc, tenant, usage({ id: 'x', cost: { amount: '1', currency: 'USD' } }));
    await eventually(async () => (await stored(tenant)) === 1);
    await publish(nc, tenant, usage({ id: 'x', cost: { amount: '2', currency: 'USD' } }));
    await eventually(async () => (await deadLetters(nc, tenant)).length === 1);
    expect((await deadLetters(nc, tenant))[0]?.reason).toBe('idempotency_conflict');
    expect(JSON.parse((await world.usageOf(tenant))[0]?.data ?? '').cost.amount).toBe('1');
  });

  test('IN-E8 one message a thousand times, and poison in between, is one event', async () => {
    const tenant = freshTenant();
    const event = usage();
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => publish(nc, tenant, n % 100 === 50 ? 'poison' : event)));
    await eventually(settled);
    expect(await stored(tenant)).toBe(1);
    expect(await deadLetters(nc, tenant)).toHaveLength(10);
  });
});

describe('usage.record.<tenant>', () => {
  test('answers what HTTP answers, and means durable', async () => {
    const tenant = freshTenant();
    const { error, position, body } = await request(nc, tenant, { events: [usage({ id: 'a' }), usage({ id: 'a' }), usage({ id: '' })] });
    expect(error).toBeUndefined();
    expect(body.results.map(({ id, status, problem }) => [id, status, problem?.code])).toEqual([
      ['a', 'accepted', undefined],
      ['a', 'duplicate', undefined],
      [null, 'rejected', 'text_format'],
    ]);
    expect(position).toBe(body.results[0]?.position);
    expect(await stored(tenant)).toBe(1);
  });

  test('a structured CloudEvent by its Content-Type', async () => {
    const { body } = await request(nc, freshTenant(), envelope(), STRUCTURED);
    expect(body.results.map(({ id, status }) => [id, status])).toEqual([['ce-1', 'accepted']]);
  });

  test('a binary CloudEvent by its headers', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-type': 'bursar.usage.v1', 'ce-source': '/relay', 'ce-id': 'bin-1' };
    const { body } = await request(nc, freshTenant(), data, headers);
    expect(body.results.map(({ id, status }) => [id, status])).toEqual([['bin-1', 'accepted']]);
  });

  test.each([
    ['not json', {}, '400', 'bad_json'],
    [usage(), { 'Content-Type': 'text/plain' }, '415', 'unsupported_media_type'],
    [{ events: [] }, {}, '400', 'batch_size'],
  ])('a request that is none as a whole is answered as a problem: %j', async (body, headers, status, code) => {
    const reply = await request(nc, freshTenant(), body, headers as Record<string, string>);
    expect([reply.error, reply.body.code]).toEqual([status, code]);
  });

  test('IN-E3 a subject whose tenant is none is refused', async () => {
    const reply = await request(nc, 'ümlaut', usage());
    expect([reply.error, reply.body.code]).toEqual(['400', 'tenant']);
  });

  test('each request is answered by one replica', async () => {
    const tenant = freshTenant();
    const replies = await Promise.all(Array.from({ length: 50 }, (_, n) => request(nc, tenant, usage({ id: `r${n}` }))));
    expect(new Set(replies.map(({ body }) => body.results[0]?.status))).toEqual(new Set(['accepted']));
    expect(await stored(tenant)).toBe(50);
  });
});

test('NATS asks for credentials, and a subscriber without them hears nothing (IN-E4)', async () => {
  const { host } = new URL(world.nats?.url ?? '');
  const { connect } = await import('@nats-io/transport-node');
  await expect(connect({ servers: host, reconnect: false })).rejects.toThrow(/authorization/i);
});

describe('without NATS', () => {
  test('F9, F11 HTTP goes on while it is gone, and intake is back after it has lost everything', async () => {
    const tenant = freshTenant();
    const url = replicas[0]?.url ?? '';
    await world.nats?.restart({
      signal: 'SIGKILL',
      wipe: true,
      whileDown: async () => {
        for (let n = 0; n < 5; n += 1) expect((await send(url, usage({ id: `down-${n}` }), { tenant })).status).toBe(202);
        expect((await fetch(`${url}/readyz`)).status).toBe(200);
      },
    });
    await eventually(async () => !nc.isClosed() && (await intakeIsUp()), 30_000);
    await publish(nc, tenant, usage({ id: 'after' }));
    await eventually(async () => (await stored(tenant)) === 6);
  });

  test('a replica starts without it', async () => {
    const replica = await world.replica({ NATS_URL: 'nats://user:pass@127.0.0.1:1' });
    expect((await send(replica.url, usage(), { tenant: freshTenant() })).status).toBe(202);
  });
});
