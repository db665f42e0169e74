import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { partitionOf } from '@bursar/contracts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CloudEvent, HTTP } from 'cloudevents';
import * as older from 'nats';
import { PlainNats } from './support/plain-nats.js';
import { usage } from './support/usage-client.js';
import { eventually, freshTenant, openWorld, PARTITIONS, type World } from './support/world.js';

/** PRODUCT I10: who talks to us over NATS knows none of our code. */

const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

let world: World;
let url: string;
let nc: older.NatsConnection;
beforeAll(async () => {
  world = await openWorld({ nats: true });
  url = world.nats?.url ?? '';
  await world.replica();
  const { host, username, password } = new URL(url);
  nc = await older.connect({ servers: host, user: username, pass: decodeURIComponent(password) });
  const manager = await nc.jetstreamManager();
  await eventually(() =>
    manager.consumers
      .info('USAGE_INTAKE', 'ingestion')
      .then(() => true)
      .catch(() => false),
  );
});
afterAll(async () => {
  await nc?.close();
  await world?.close();
});

const stored = async (tenant: string): Promise<readonly string[]> =>
  (await world.usageOf(tenant)).map(({ data }) => (JSON.parse(data) as { id: string }).id).sort();
const storedAre = (tenant: string, ids: readonly string[]): Promise<void> =>
  eventually(async () => (await stored(tenant)).join() === [...ids].sort().join());
const withType = (type: string): older.MsgHdrs => {
  const fields = older.headers();
  fields.set('Content-Type', type);
  return fields;
};

/** A usage event as the CloudEvents SDK makes it. */
const cloudEvent = (id: string): CloudEvent<object> => {
  const { id: _id, source: _source, ...data } = usage();
  return new CloudEvent({ id, source: '/their/app', type: 'bursar.usage.v1', time: new Date().toISOString(), data });
};
const structured = (event: CloudEvent<object>): string => String(HTTP.structured(event).body);

/** What the CloudEvents SDK makes of a body of that content type. Throws when it is none. */
const parse = (contentType: string, body: string): readonly CloudEvent<Record<string, unknown>>[] => {
  const events = [HTTP.toEvent({ headers: { 'content-type': contentType }, body })].flat() as CloudEvent<Record<string, unknown>>[];
  for (const event of events) event.validate();
  return events;
};

/** A definition, so that something else than usage goes to the world. */
const registerScope = async (tenant: string): Promise<string> => {
  const data = JSON.stringify({ scope: 'team:ml', parents: [] });
  const id = crypto.randomUUID();
  const event = {
    id,
    type: 'ScopeRegistered',
    version: 1,
    data,
    meta: JSON.stringify({ tenant }),
    contentHash: hash('sha256', data, 'buffer'),
  };
  await world.store.append({
    partition: partitionOf(tenant, PARTITIONS),
    stream: `scope-${tenant}`,
    events: [event],
    expectedRevision: 'any',
  });
  return id;
};

describe('the older `nats` client', () => {
  test('publishes usage to usage.ingest.<tenant>, plainly and through JetStream, as JSON and as a CloudEvent', async () => {
    const tenant = freshTenant();
    nc.publish(`usage.ingest.${tenant}`, older.JSONCodec().encode(usage({ id: 'plain' })));
    const js = nc.jetstream();
    const ack = await js.publish(`usage.ingest.${tenant}`, older.JSONCodec().encode({ events: [usage({ id: 'a' }), usage({ id: 'b' })] }));
    expect(ack).toMatchObject({ stream: 'USAGE_INTAKE', duplicate: false });
    const body = older.StringCodec().encode(structured(cloudEvent('ce')));
    const first = await js.publish(`usage.ingest.${tenant}`, body, { msgID: `${tenant}-ce`, headers: withType(STRUCTURED) });
    const again = await js.publish(`usage.ingest.${tenant}`, body, { msgID: `${tenant}-ce`, headers: withType(STRUCTURED) });
    expect([first.duplicate, again.duplicate]).toEqual([false, true]);
    await storedAre(tenant, ['plain', 'a', 'b', 'ce']);
  });

  test('requests usage.record.<tenant>, and the reply means stored', async () => {
    const tenant = freshTenant();
    const body = older.JSONCodec().encode({ events: [usage({ id: 'a' }), usage({ id: 'a', cost: { amount: '9' } }), usage({ id: '' })] });
    const reply = await nc.request(`usage.record.${tenant}`, body, { timeout: 10_000 });
    expect(reply.headers?.get('Bursar-Position')).toMatch(/^\d+:\d+$/);
    expect(reply.json()).toMatchObject({
      results: [{ status: 'accepted' }, { status: 'rejected', problem: { code: 'idempotency_conflict' } }, { status: 'rejected' }],
    });
    expect(await stored(tenant)).toEqual(['a']);
    const refused = await nc.request(`usage.record.${tenant}`, older.StringCodec().encode('no'), { timeout: 10_000 });
    expect([refused.headers?.get('Nats-Service-Error-Code'), refused.json()]).toEqual([
      '400',
      expect.objectContaining({ code: 'bad_json' }),
    ]);
  });

  test('hears events.<tenant>.> as it happens; what it missed, a durable consumer brings', async () => {
    const tenant = freshTenant();
    const heard: older.Msg[] = [];
    nc.subscribe(`events.${tenant}.>`, { callback: (error, message) => (error === null ? void heard.push(message) : undefined) });
    await nc.flush();
    const scopeId = await registerScope(tenant);
    await nc.request(`usage.record.${tenant}`, older.JSONCodec().encode(usage({ id: 'u' })), { timeout: 10_000 });
    await eventually(() => new Set(heard.map(({ subject }) => subject)).size === 2);
    const read = (message: { headers?: older.MsgHdrs; string(): string }) =>
      parse(message.headers?.get('Content-Type') ?? '', message.string());
    const byType = new Map(heard.flatMap(read).map((event) => [event.type, event]));
    expect(byType.get('ScopeRegistered')).toMatchObject({ id: scopeId, subject: `scope-${tenant}`, data: { scope: 'team:ml' } });
    expect(byType.get('UsageRecorded')).toMatchObject({ subject: `usage-${tenant}`, data: { id: 'u' } });

    const manager = await nc.jetstreamManager();
    await manager.consumers.add('EVENTS', {
      durable_name: tenant,
      filter_subject: `events.${tenant}.>`,
      ack_policy: older.AckPolicy.Explicit,
    });
    const consumer = await nc.jetstream().consumers.get('EVENTS', tenant);
    const kept: string[] = [];
    for await (const message of await consumer.fetch({ max_messages: heard.length, expires: 5_000 })) {
      kept.push(...read(message).map(({ id }) => id));
      message.ack();
    }
    expect(kept.sort()).toEqual(
      heard
        .flatMap(read)
        .map(({ id }) => id)
        .sort(),
    );
  });
});

describe('services discovery, by the older client’s own service client', () => {
  const collect = async <T>(answers: AsyncIterable<T>): Promise<readonly T[]> => {
    const all: T[] = [];
    for await (const answer of answers) all.push(answer);
    return all;
  };

  test('finds ingestion, what it answers and where that is written down, and what it has answered', async () => {
    const client = nc.services.client({ maxWait: 20_000, strategy: older.RequestStrategy.Count, maxMessages: 1 });
    const [self] = await collect(await client.ping('bursar-ingestion'));
    expect(self).toMatchObject({ name: 'bursar-ingestion', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });

    const [info] = await collect(await client.info('bursar-ingestion', self?.id));
    expect(info?.endpoints).toEqual([
      {
        name: 'record',
        subject: 'usage.record.*',
        queue_group: 'ingestion',
        metadata: { schema: '/asyncapi.json#/operations/recordUsageByRequest' },
      },
    ]);
    const { operations, channels } = asyncApi();
    const channel = channels[operations.recordUsageByRequest?.channel.$ref.split('/').at(-1) ?? ''];
    expect(channel?.address.replace(/\{\w+\}/, '*')).toBe(info?.endpoints?.[0]?.subject);
    expect(operations.recordUsageByRequest?.bindings?.nats.queue).toBe(info?.endpoints?.[0]?.queue_group);

    const counts = async () => {
      const [stats] = await collect(await client.stats('bursar-ingestion', self?.id));
      const { num_requests = 0, num_errors = 0 } = stats?.endpoints?.[0] ?? {};
      return [num_requests, num_errors];
    };
    const [requests = 0, errors = 0] = await counts();
    await nc.request(`usage.record.${freshTenant()}`, older.JSONCodec().encode(usage()), { timeout: 10_000 });
    await nc.request(`usage.record.${freshTenant()}`, older.StringCodec().encode('no'), { timeout: 10_000 });
    expect(await counts()).toEqual([requests + 2, errors + 1]);
  });
});

/** The published document. */
const asyncApi = () =>
  JSON.parse(readFileSync(new URL('../../../contracts/asyncapi.json', import.meta.url), 'utf8')) as Readonly<{
    operations: Record<string, { channel: { $ref: string }; bindings?: { nats: { queue: string } } }>;
    channels: Record<string, { address: string }>;
  }>;

describe('a plain TCP socket', () => {
  test('publishes usage, with and without headers, and has it acknowledged by JetStream', async () => {
    const tenant = freshTenant();
    const peer = await PlainNats.open(url);
    peer.publish(`usage.ingest.${tenant}`, JSON.stringify(usage({ id: 'café' })));
    peer.publish(`usage.ingest.${tenant}`, structured(cloudEvent('ce')), { headers: `Content-Type: ${STRUCTURED}` });
    const ack = await peer.request(
      `usage.ingest.${tenant}`,
      JSON.stringify([{ ...JSON.parse(structured(cloudEvent('batched'))) }]),
      `Content-Type: ${BATCH}`,
    );
    expect(JSON.parse(ack.body)).toMatchObject({ stream: 'USAGE_INTAKE' });
    await storedAre(tenant, ['café', 'ce', 'batched']);
    expect(peer.errors).toEqual([]);
    peer.close();
  });

  test('requests usage.record.<tenant> and reads the reply with its headers', async () => {
    const tenant = freshTenant();
    const peer = await PlainNats.open(url);
    const reply = await peer.request(`usage.record.${tenant}`, JSON.stringify(usage({ id: 'a' })));
    expect(JSON.parse(reply.body)).toMatchObject({ results: [{ id: 'a', status: 'accepted' }] });
    expect(reply.headers).toMatch(/^NATS\/1\.0\r\n(?:.*\r\n)*Bursar-Position: ?\d+:\d+\r\n/);
    expect(await stored(tenant)).toEqual(['a']);
    peer.close();
  });

  test('that knows no headers is served too', async () => {
    const tenant = freshTenant();
    const peer = await PlainNats.open(url, { headers: false });
    peer.subscribe(`events.${tenant}.>`);
    const reply = await peer.request(`usage.record.${tenant}`, JSON.stringify(usage({ id: 'a' })));
    expect(JSON.parse(reply.body)).toMatchObject({ results: [{ id: 'a', status: 'accepted' }] });
    const message = await peer.until(({ subject }) => subject === `events.${tenant}.UsageRecorded`);
    expect([message.headers, parse(BATCH, message.body).map(({ data }) => data?.id)]).toEqual(['', ['a']]);
    peer.close();
  });

  test('hears events.<tenant>.>, its own tenant’s only', async () => {
    const [tenant, other] = [freshTenant(), freshTenant()];
    const peer = await PlainNats.open(url);
    peer.subscribe(`events.${tenant}.>`);
    await peer.flush();
    await registerScope(other);
    const scopeId = await registerScope(tenant);
    const message = await peer.until(({ subject }) => subject.startsWith('events.'));
    expect(message.subject).toBe(`events.${tenant}.ScopeRegistered`);
    expect(message.headers).toContain(`Content-Type: ${STRUCTURED}`);
    expect(message.headers).toContain(`Nats-Msg-Id: ${scopeId}`);
    expect(parse(STRUCTURED, message.body)).toMatchObject([
      { id: scopeId, type: 'ScopeRegistered', source: `/bursar/ledger/${partitionOf(tenant, PARTITIONS)}` },
    ]);
    peer.close();
  });

  test('with a wrong password gets nothing', async () => {
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(PlainNats.open(wrong.href)).rejects.toThrow('Authorization Violation');
  });
});
