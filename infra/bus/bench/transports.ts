/**
 * What Nest's transports cost: the figures of docs/adr/0006. Not part of `scripts/bench`.
 *
 *     npx turbo run build --filter=@bursar/bus && node infra/bus/bench/transports.ts nats://…
 *
 * Each round measures ours and what it is compared with, one after the other, on the given server, where it makes and deletes the
 * stream `BENCH_WORK`; the asker is another process. CPU is this process's, user and system, so that other work on the machine counts
 * little.
 */
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { AckPolicy, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { Controller } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { connectBus } from '../dist/index.js';
import {
  type DurableMessage,
  DurableMessages,
  DurableServer,
  type NatsRequest,
  NatsRequestServer,
  NatsRequests,
  Reply,
} from '../dist/nest/index.js';

const ROUNDS = 5;
const REQUESTS = 60_000;
const MESSAGES = 40_000;
const BODY = JSON.stringify({ id: 'x'.repeat(40), source: 'bench', scopes: ['team:ml'], cost: { amount: '0.0125', currency: 'USD' } });
const decoder = new TextDecoder();
const parse = ({ data }: { data: Uint8Array }): unknown => JSON.parse(decoder.decode(data));

/** Node strips types but runs no decorators: they are applied by hand below. */
class Answers {
  async answer(request: NatsRequest): Promise<Reply> {
    parse(request);
    return Reply.of('{"ok":true}', { 'Content-Type': 'application/json' });
  }
}
class Works {
  static count = 0;
  async work(batch: readonly DurableMessage[]): Promise<void> {
    for (const message of batch) parse(message);
    Works.count += batch.length;
  }
}
const descriptorOf = (target: object, key: string): TypedPropertyDescriptor<never> =>
  Object.getOwnPropertyDescriptor(target, key) as TypedPropertyDescriptor<never>;
Controller()(Answers);
NatsRequests('nest.*', { name: 'answer', queue: 'q', operation: 'answer' })(
  Answers.prototype,
  'answer',
  descriptorOf(Answers.prototype, 'answer'),
);
Controller()(Works);
DurableMessages({ stream: 'BENCH_WORK', durable: 'ours', subject: 'bench.work.*', read: (message) => message })(
  Works.prototype,
  'work',
  descriptorOf(Works.prototype, 'work'),
);
class Bench {}

const url = process.argv[2] ?? '';
const { host, username: user, password: pass } = new URL(url);
const bus = await connectBus({ url, name: 'bench' });
while (!bus.connected) await delay(10);
const nc = await connect({ servers: host, user, pass });
const app = await NestFactory.create({ module: Bench, controllers: [Answers, Works] }, new FastifyAdapter(), { logger: false });

const figures = new Map<string, { perSecond: number[]; cpu: number[] }>();
const measure = async (name: string, count: number, work: () => Promise<void>): Promise<void> => {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const { user: own, system } = process.cpuUsage(cpu);
  const figure = figures.get(name) ?? { perSecond: [], cpu: [] };
  figure.perSecond.push((count * 1_000) / (performance.now() - startedAt));
  figure.cpu.push((own + system) / count);
  figures.set(name, figure);
};
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const requests = async (): Promise<void> => {
  app.connectMicroservice({ strategy: new NatsRequestServer(bus, { name: 'bench', version: '1.0.0', description: '', document: '' }) });
  await app.startAllMicroservices();
  const thin = nc.subscribe('thin.*', {
    queue: 'q',
    callback: async (_error, message) => {
      parse(message);
      await Promise.resolve();
      const fields = headers();
      fields.set('Content-Type', 'application/json');
      message.respond('{"ok":true}', { headers: fields });
    },
  });
  await nc.flush();
  const asker = fork(new URL('asker.ts', import.meta.url), [JSON.stringify({ servers: host, user, pass })]);
  await once(asker, 'message');
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kind of ['thin', 'nest']) {
      await measure(`requests, ${kind}`, REQUESTS, async () => {
        asker.send({ subject: `${kind}.x`, body: BODY, requests: REQUESTS });
        await once(asker, 'message');
      });
    }
  }
  asker.kill();
  thin.unsubscribe();
};

const library = async (connection: NatsConnection, manager: JetStreamManager): Promise<void> => {
  await manager.consumers.add('BENCH_WORK', { durable_name: 'library', ack_policy: AckPolicy.Explicit, max_ack_pending: 2_000 });
  const messages = await (await jetstream(connection).consumers.get('BENCH_WORK', 'library')).consume({ max_messages: 400 });
  let count = 0;
  for await (const message of messages) {
    parse(message);
    message.ack();
    count += 1;
    if (count === MESSAGES) break;
  }
  await connection.flush();
};

const ours = async (): Promise<void> => {
  Works.count = 0;
  const strategy = new DurableServer(bus);
  await app.connectMicroservice({ strategy }).listen();
  while (Works.count < MESSAGES) await delay(2);
  await strategy.close();
};

const durable = async (): Promise<void> => {
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: 'BENCH_WORK', subjects: ['bench.work.*'] });
  for (let n = 0; n < MESSAGES; n += 500) await Promise.all(Array.from({ length: 500 }, () => jetstream(nc).publish('bench.work.x', BODY)));
  for (let round = 0; round < ROUNDS; round += 1) {
    await measure('durable, consume() of the library', MESSAGES, () => library(nc, manager));
    await measure('durable, ours', MESSAGES, ours);
    for (const name of ['library', 'ours']) await manager.consumers.delete('BENCH_WORK', name);
  }
  await manager.streams.delete('BENCH_WORK');
};

await requests();
await durable();
for (const [name, { perSecond, cpu }] of figures) {
  console.log(
    `${name.padEnd(36)} ${Math.round(median(perSecond)).toString().padStart(8)}/s ${median(cpu).toFixed(1).padStart(6)} µs CPU each`,
  );
}
await app.close();
await bus.close();
await nc.close();
