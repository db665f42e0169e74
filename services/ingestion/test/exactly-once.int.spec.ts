import { type ChildProcess, spawn } from 'node:child_process';
import { freePort } from '@bursar/embedded';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import fc from 'fast-check';
import { connectTo, publish, request } from './support/nats-client.js';
import { type Result, send, usage } from './support/usage-client.js';
import { environment, eventually, freshTenant, openWorld, type World } from './support/world.js';

/** RELIABILITY promise 1: after 202, usage is never lost and counts exactly once, whatever the path, the order and the crashes. */

let world: World;
let nc: NatsConnection;
let urls: readonly string[] = [];
beforeAll(async () => {
  world = await openWorld({ nats: true });
  urls = [(await world.replica()).url, (await world.replica()).url];
  nc = await connectTo(world.nats?.url ?? '');
  // The same event again and again: it counts once, whenever the streams and their consumer are there.
  const probe = freshTenant();
  const first = usage();
  await eventually(async () => {
    await publish(nc, probe, first).catch(() => undefined);
    return (await world.usageOf(probe)).length === 1;
  });
});
afterAll(async () => {
  await nc.close();
  await world.close();
});

const storedIds = async (tenant: string): Promise<readonly string[]> =>
  (await world.usageOf(tenant)).map(({ data }) => (JSON.parse(data) as { id: string }).id);

type Way = 'http-0' | 'http-1' | 'record' | 'ingest';

test('any split, order and duplication, over any way, by two replicas at once: each id is stored once', async () => {
  /** Deliveries name events by number; each goes by one of four ways, in a body with others. */
  const deliveries = fc.array(
    fc.record({
      events: fc.array(fc.nat({ max: 14 }), { minLength: 1, maxLength: 8 }),
      way: fc.constantFrom<Way>('http-0', 'http-1', 'record', 'ingest'),
    }),
    { minLength: 1, maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(deliveries, async (plan) => {
      const tenant = freshTenant();
      const event = (n: number): object => usage({ id: `e${n}`, cost: { amount: `0.${n + 1}`, currency: 'USD' } });
      const named = new Set(plan.flatMap(({ events }) => events.map((n) => `e${n}`)));
      const results = await Promise.all(
        plan.map(async ({ events, way }): Promise<readonly Result[]> => {
          const body = { events: events.map(event) };
          if (way === 'ingest') return publish(nc, tenant, body).then(() => []);
          if (way === 'record') return (await request(nc, tenant, body)).body.results;
          return (await send(urls[way === 'http-0' ? 0 : 1] ?? '', body, { tenant })).body.results;
        }),
      );
      await eventually(async () => (await storedIds(tenant)).length >= named.size);
      expect((await storedIds(tenant)).toSorted()).toEqual([...named].toSorted());
      // Of all answers about one event at most one says accepted, none says rejected, and all name the same place.
      const answers = Map.groupBy(results.flat(), ({ id }) => id);
      for (const [, about] of answers) {
        expect(about.filter(({ status }) => status === 'accepted').length).toBeLessThanOrEqual(1);
        expect(about.some(({ status }) => status === 'rejected')).toBe(false);
        expect(new Set(about.map(({ position }) => position)).size).toBe(1);
      }
    }),
    { numRuns: 40 },
  );
});

test('one id with two contents, at both replicas at once: one stands, the other is told so', async () => {
  for (let round = 0; round < 20; round += 1) {
    const tenant = freshTenant();
    const answers = await Promise.all(
      ['1', '2', '1', '2'].map((amount, n) => send(urls[n % 2] ?? '', usage({ id: 'x', cost: { amount, currency: 'USD' } }), { tenant })),
    );
    const statuses = answers.map(({ body }) => body.results[0]?.status).toSorted();
    expect(statuses).toEqual(['accepted', 'duplicate', 'rejected', 'rejected']);
    expect(await storedIds(tenant)).toEqual(['x']);
  }
});

/** The service as it is run. */
const startProcess = async (port: number): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [new URL('../dist/main.js', import.meta.url).pathname], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment(world.database, world.nats), PORT: String(port), LOG_LEVEL: 'error' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await eventually(() =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  return child;
};
const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', (code) => resolve(code)));

test('SIGKILL in mid-load: whatever was answered 202 is stored, and after repeats everything is, once', async () => {
  const tenant = freshTenant();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const bodies = Array.from({ length: 120 }, (_, b) => ({ events: Array.from({ length: 25 }, (_, n) => usage({ id: `b${b}-${n}` })) }));
  const answered = new Set<string>();
  let child = await startProcess(port);
  let kills = 0;
  let unanswered = 0;

  const deliver = async (body: (typeof bodies)[number]): Promise<void> => {
    for (;;) {
      try {
        const { status, body: answer } = await send(url, body, { tenant });
        if (status === 202) {
          expect(answer.results.every((result) => result.status !== 'rejected')).toBe(true);
          for (const { id } of answer.results) answered.add(String(id));
          return;
        }
      } catch (error) {
        // By name, for fetch throws another realm's errors: the connection broke, the outcome is unknown, so repeat.
        if (!['TypeError', 'SyntaxError'].includes((error as Error).name)) throw error;
        unanswered += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  const queue = [...bodies];
  const worker = async (): Promise<void> => {
    for (let body = queue.shift(); body !== undefined; body = queue.shift()) {
      await deliver(body);
      // Killed by progress, not by a clock, so that each kill hits requests in flight however fast the machine is.
      if (kills < 3 && answered.size >= (kills + 1) * 600) {
        kills += 1;
        const acknowledged = new Set(answered);
        child.kill('SIGKILL');
        await ended(child);
        const stored = new Set(await storedIds(tenant));
        expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
        child = await startProcess(port);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect([kills, unanswered > 0]).toEqual([3, true]);

  const ids = await storedIds(tenant);
  expect(ids.length).toBe(new Set(ids).size);
  expect(ids.toSorted()).toEqual(bodies.flatMap(({ events }) => events.map(({ id }) => String(id))).toSorted());

  child.kill('SIGTERM');
  expect(await ended(child)).toBe(0);
});

test('SIGTERM in mid-load: what is in flight is answered, then the process is gone with 0', async () => {
  const tenant = freshTenant();
  const port = await freePort();
  const child = await startProcess(port);
  const url = `http://127.0.0.1:${port}`;
  const inFlight = Array.from({ length: 20 }, (_, n) =>
    send(url, { events: Array.from({ length: 200 }, (_, m) => usage({ id: `${n}-${m}` })) }, { tenant }).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  await eventually(async () => (await storedIds(tenant)).length > 0);
  child.kill('SIGTERM');
  expect(await ended(child)).toBe(0);
  const statuses = await Promise.all(inFlight);
  const accepted = statuses.filter((status) => status === 202).length;
  expect(accepted).toBeGreaterThan(0);
  // Refused connections stored nothing; everything that was answered is there, and nothing was cut off half way.
  expect((await storedIds(tenant)).length).toBe(accepted * 200);
});
