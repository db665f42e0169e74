import 'reflect-metadata';
import type { EventStore } from '@bursar/event-store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection, headers as newHeaders } from '@nats-io/transport-node';
import { Controller, Get, UseGuards } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Bus } from '../src/bus.js';
import {
  allPartitions,
  type DurableContext,
  DurableMessages,
  DurableServer,
  type LedgerBatch,
  LedgerEvents,
  LedgerServer,
  type NatsRequest,
  NatsRequestServer,
  NatsRequests,
  Reply,
} from '../src/nest/index.js';
import { appendOf, eventually, usages } from './support/events.js';
import { nestApp } from './support/nest-app.js';
import { PARTITIONS, World } from './support/world.js';

/** HTTP, the ledger, a durable consumer and request-reply in one Nest application, on real servers. */

const IDENTITY = { name: 'bursar-test', version: '1.2.3', description: 'Answers in tests', document: 'https://api.test/asyncapi.json' };

let world: World;
let bus: Bus;
let store: EventStore;
let nc: NatsConnection;
let app: NestFastifyApplication;
const calls: string[] = [];
let hold: Promise<void> = Promise.resolve();

class Refuses {
  canActivate(): boolean {
    return false;
  }
}

@Controller()
class Everything {
  @Get('hello')
  hello(): string {
    calls.push('http');
    return 'hello';
  }

  @LedgerEvents('everything', { pollMs: 200 })
  async ledger({ events }: LedgerBatch): Promise<void> {
    calls.push(...events.map(({ partition, position }) => `ledger ${partition}:${position}`));
  }

  @DurableMessages({ stream: 'USAGE_INTAKE', durable: 'everything', subject: 'usage.ingest.*', read: ({ subject }) => subject })
  async durable(subjects: readonly string[], context: DurableContext): Promise<void> {
    calls.push(...subjects.map((subject, index) => `durable ${subject} ${context.messages[index]?.info.deliveryCount}`));
  }

  @NatsRequests('double.*', { name: 'double', queue: 'doublers', operation: 'double' })
  async double({ subject, data, headers }: NatsRequest): Promise<Reply> {
    await hold;
    const text = new TextDecoder().decode(data);
    if (text === 'refuse') return Reply.of('{"code":"no"}', { 'Nats-Service-Error-Code': '400', 'Nats-Service-Error': 'no' });
    if (text === 'throw') throw new Error('secret');
    return Reply.of(`${text}${text}`, { 'X-Subject': subject, 'X-Came': headers?.get('X-Sent') ?? '' });
  }

  @NatsRequests('direct.*', { name: 'direct', queue: 'doublers', operation: 'direct' })
  async direct(): Promise<Reply> {
    throw new Error('nobody gets here');
  }

  @NatsRequests('guarded', { name: 'guarded', queue: 'doublers', operation: 'guard' })
  @UseGuards(Refuses)
  async guarded(): Promise<Reply> {
    throw new Error('nobody gets here');
  }
}

const direct = ({ data }: NatsRequest): Reply | Promise<Reply> => {
  const text = new TextDecoder().decode(data);
  if (text === 'throw') throw new Error('secret');
  if (text === 'reject') return Promise.reject(new Error('secret'));
  const reply = Reply.of(`${text}é`, { 'X-Direct': text === 'break' ? 'a\r\nX-Other: b' : ' yes ' });
  return text === 'later' ? Promise.resolve(reply) : reply;
};

beforeAll(async () => {
  world = await World.make();
  store = await world.store();
  bus = await world.bus();
  store.onAppended((range) => bus.publishRange(range));
  const { host, username, password } = new URL(world.nats.url);
  nc = await connect({ servers: host, user: username, pass: password, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const supply = allPartitions({ partitions: PARTITIONS, startAfter: async () => 0, logger: bus.logger });
  app = await nestApp(
    [Everything],
    [
      new LedgerServer({ store, bus, supply }),
      new DurableServer(bus),
      new NatsRequestServer(bus, IDENTITY, new Map([['direct.*', direct]])),
    ],
  );
});
afterAll(async () => {
  await app.close();
  await nc.close();
  await world.end();
});

const ask = async (text: string, subject = 'double.x', fields: Record<string, string> = {}, timeout = 20_000) => {
  const headers = newHeaders();
  for (const [name, value] of Object.entries(fields)) headers.set(name, value);
  const reply = await nc.request(subject, text, { timeout, headers });
  return { text: reply.string(), header: (name: string) => reply.headers?.get(name) ?? '' };
};
const discover = async <T>(verb: string): Promise<readonly T[]> => {
  const answers: T[] = [];
  for await (const message of await nc.requestMany(`$SRV.${verb}`, '', { maxWait: 20_000, strategy: 'stall', stall: 300 }))
    answers.push(message.json());
  return answers;
};

describe('several transports in one application', () => {
  test('each gets its own handlers only', async () => {
    calls.length = 0;
    await store.append(appendOf(1, usages(0, 2)));
    await eventually('the ledger was heard', () => calls.length === 2);
    await jetstream(nc).publish('usage.ingest.acme', '{}');
    await eventually('the message was delivered', () => calls.length === 3);
    expect(await (await fetch(`${await app.getUrl()}/hello`)).text()).toBe('hello');
    expect((await ask('ab')).text).toBe('abab');
    expect(calls).toEqual(['ledger 1:1', 'ledger 1:2', 'durable usage.ingest.acme 1', 'http']);
  });
});

describe('request-reply', () => {
  test('the wire is the handler’s: its bytes and headers, no envelope', async () => {
    const { text, header } = await ask('{"a":', 'double.tenant', { 'X-Sent': 'yes' });
    expect([text, header('X-Subject'), header('X-Came')]).toEqual(['{"a":{"a":', 'double.tenant', 'yes']);
  });

  test.each(['now', 'later'])('a direct handler answers %s, without Nest', async (text) => {
    const reply = await ask(text, 'direct.x');
    expect([reply.text, reply.header('X-Direct')]).toEqual([`${text}é`, 'yes']);
  });

  test.each([
    ['a direct fault says nothing of its cause', 'throw', 'direct.x', '500', 'internal_error', ''],
    ['nor does one that comes later', 'reject', 'direct.x', '500', 'internal_error', ''],
    ['a header that would begin another is a fault', 'break', 'direct.x', '500', 'internal_error', ''],
    ['a refusal is the handler’s', 'refuse', 'double.x', '400', 'no', '{"code":"no"}'],
    ['a fault says nothing of its cause', 'throw', 'double.x', '500', 'internal_error', ''],
    ['a guard’s refusal is no answer', 'x', 'guarded', '500', 'internal_error', ''],
  ])('%s', async (_what, text, subject, code, error, body) => {
    const reply = await ask(text, subject);
    expect([reply.header('Nats-Service-Error-Code'), reply.header('Nats-Service-Error'), reply.text]).toEqual([code, error, body]);
  });

  test.each(['ledger.0', 'events.acme.UsageRecorded', 'usage.ingest.other', '$JS.API.STREAM.DELETE.EVENTS', 'double.other'])(
    'IN-E10: a reply that is to go to %s goes nowhere, and nothing is done',
    async (reply) => {
      const heard: string[] = [];
      const tap = nc.subscribe('>', { callback: (_, message) => void heard.push(message.subject) });
      calls.length = 0;
      const refused = bus.counters.repliesRefused;
      nc.publish('double.x', 'ab', { reply });
      await eventually('it was refused', () => bus.counters.repliesRefused === refused + 1);
      expect((await ask('ab')).text).toBe('abab');
      tap.unsubscribe();
      expect(heard.filter((subject) => subject === reply)).toEqual([]);
    },
  );

  test('nobody listens where there is no handler', async () => {
    await expect(ask('x', 'triple.x')).rejects.toThrow(/no responders/i);
  });

  test('a replica that leaves answers what it has taken, and takes no more', async () => {
    const server = new NatsRequestServer(bus, IDENTITY);
    const other = await nestApp([Everything], [server]);
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const replies = Promise.all(Array.from({ length: 40 }, (_, n) => ask(`${n}`)));
    await nc.flush();
    const closed = server.close();
    resolve();
    await closed;
    expect((await replies).map(({ text }) => text)).toEqual(Array.from({ length: 40 }, (_, n) => `${n}${n}`));
    expect((await Promise.all(Array.from({ length: 20 }, () => ask('a')))).every(({ text }) => text === 'aa')).toBe(true);
    await other.close();
  });
});

describe('services discovery', () => {
  test('PING, INFO and STATS say who answers what, and how it went', async () => {
    const [before] = await discover<{ id: string; endpoints: Record<string, unknown>[] }>('STATS.bursar-test');
    await ask('a');
    await ask('refuse');
    const self = { name: 'bursar-test', id: before?.id, version: '1.2.3', metadata: { schema: IDENTITY.document } };
    expect(await discover('PING')).toEqual([{ ...self, type: 'io.nats.micro.v1.ping_response' }]);
    expect(await discover(`INFO.bursar-test.${before?.id}`)).toEqual([
      {
        ...self,
        type: 'io.nats.micro.v1.info_response',
        description: 'Answers in tests',
        endpoints: [
          { name: 'double', subject: 'double.*', queue_group: 'doublers', metadata: { schema: `${IDENTITY.document}#/operations/double` } },
          { name: 'direct', subject: 'direct.*', queue_group: 'doublers', metadata: { schema: `${IDENTITY.document}#/operations/direct` } },
          { name: 'guarded', subject: 'guarded', queue_group: 'doublers', metadata: { schema: `${IDENTITY.document}#/operations/guard` } },
        ],
      },
    ]);
    const [after] = await discover<{ started: string; endpoints: Record<string, number>[] }>('STATS');
    expect(after).toMatchObject({ ...self, type: 'io.nats.micro.v1.stats_response', started: expect.stringMatching(/^\d{4}-.*Z$/) });
    const [was, is] = [before?.endpoints[0], after?.endpoints[0]];
    expect([Number(is?.num_requests) - Number(was?.num_requests), Number(is?.num_errors) - Number(was?.num_errors)]).toEqual([2, 1]);
    expect(is).toMatchObject({ name: 'double', subject: 'double.*', queue_group: 'doublers', last_error: 'no' });
    expect(is?.average_processing_time).toBe(Math.round(Number(is?.processing_time) / Number(is?.num_requests)));
  });

  test.each([
    [{ name: 'no spaces' }, 'may not be called'],
    [{ version: '1.2' }, 'no semantic version'],
  ])('what the protocol does not take does not boot: %j', async (wrong, message) => {
    await expect(nestApp([Everything], [new NatsRequestServer(bus, { ...IDENTITY, ...wrong })])).rejects.toThrow(message);
  });
});

test('with the server killed and wiped, all transports are back by themselves', async () => {
  await world.nats.restart({
    signal: 'SIGKILL',
    wipe: true,
    whileDown: async () => {
      calls.length = 0;
      await store.append(appendOf(2, usages(10, 1)));
      await eventually('the ledger is read from the store', () => calls.includes('ledger 2:1'));
    },
  });
  await eventually('requests are answered', () =>
    ask('x', 'double.x', {}, 1_000).then(
      ({ text }) => text === 'xx',
      () => false,
    ),
  );
  expect(await discover('PING')).toHaveLength(1);
  await eventually('the durable consumer is back', async () => {
    await jetstream(nc)
      .publish('usage.ingest.acme', '{}', { timeout: 1_000 })
      .catch(() => undefined);
    return calls.some((call) => call.startsWith('durable'));
  });
});
