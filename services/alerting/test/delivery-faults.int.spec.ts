import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { balanceStream, canonicalJson, contentHash, derivedId, partitionOf } from '@bursar/contracts';
import { freePort } from '@bursar/embedded';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { bootDelivering, channelSaved, deliveredAs, deliveriesOf, freshTenant, raise } from './support/delivering.js';
import { tell } from './support/events.js';
import { budgetCreated, crossed, crossing } from './support/make.js';
import { answering, Receiver } from './support/receivers.js';
import { eventually, startWorld, type World } from './support/world.js';

let world: World;
let hook: Receiver;
let tenant: string;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());
beforeEach(async () => {
  hook = await Receiver.open();
  tenant = freshTenant();
});
afterEach(async () => {
  for (const one of processes.splice(0)) await kill(one);
  await hook.close();
});

/** The service as a process of its own, as `up` starts it. */
const launch = async (): Promise<ChildProcess> => {
  const port = await freePort();
  const child = spawn(process.execPath, [fileURLToPath(new URL('../dist/main.js', import.meta.url))], {
    env: { ...process.env, NODE_OPTIONS: '', ...world.env, WEBHOOK_ALLOW_PRIVATE_TARGETS: '1', PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  processes.push(child);
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/livez`).catch(() => null);
    await answer?.body?.cancel();
    return answer?.ok === true;
  });
  return child;
};

const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
};

/** Time passes for the attempt that died with its process: nobody waits 8 s for it again and again. */
const endLeases = (): Promise<unknown> =>
  sql`WITH lost AS (UPDATE alerting.delivery SET due_at = now() WHERE tenant = ${tenant} AND status = 'sending' RETURNING channel_id)
      UPDATE alerting.target SET next_at = now() WHERE tenant = ${tenant} AND channel_id IN (SELECT channel_id FROM lost)`.execute(
    world.db,
  );

describe('kill -9', () => {
  test('while a target has the request: it gets the same id again, and the lost attempt is on record', async () => {
    hook.answer = () => undefined;
    const first = await launch();
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url })]);
    const alertId = await raise(world, tenant);
    await eventually(async () => hook.received.length === 1);
    await kill(first);
    hook.answer = answering(204);
    await launch();
    // Nobody says so: its claim is not renewed.
    const [delivery] = await deliveredAs(world, tenant, ['delivered']);
    expect(hook.received.map(({ headers }) => headers['webhook-id'])).toEqual([alertId, alertId]);
    expect(delivery?.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, 'interrupted'],
      [2, 'delivered'],
    ]);
  });

  test('again and again while alerts come: each arrives, under its one id', async () => {
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url }), budgetCreated(tenant, 'b1')]);
    const ids: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const process = await launch();
      const told = Array.from({ length: 5 }, (_, index) => crossed(tenant, 'b1', { episode: round * 5 + index + 1 }));
      ids.push(...(await tell(world.store, told)).map(({ id }) => id));
      // Somewhere between the alert and its delivery, each time elsewhere.
      await eventually(async () => hook.received.length >= round * 4);
      await kill(process);
      await endLeases();
    }
    await launch();
    await deliveredAs(
      world,
      tenant,
      Array.from({ length: 20 }, () => 'delivered'),
    );
    expect([...new Set(hook.received.map(({ headers }) => headers['webhook-id']))].sort()).toEqual([...ids].sort());
  }, 180_000);
});

describe('a claim', () => {
  test('is held as long as the attempt takes: a slow target is asked once', async () => {
    hook.answer = (request, response) => void setTimeout(() => answering(204)(request, response), 9_000);
    await launch();
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url })]);
    await raise(world, tenant);
    const [delivery] = await deliveredAs(world, tenant, ['delivered']);
    expect([hook.received.length, delivery?.attempts.map(({ outcome }) => outcome)]).toEqual([1, ['delivered']]);
  });
});

describe('replicas', () => {
  test('10,000 alerts at once: each is recorded, a target has two requests at a time, and another tenant is not kept waiting', async () => {
    const other = freshTenant();
    const [quick, services] = [await Receiver.open(), [await bootDelivering(world), await bootDelivering(world)]];
    hook.answer = (_, response) => void setTimeout(() => response.writeHead(204).end(), 5);
    await tell(world.store, [
      channelSaved(world, tenant, { type: 'webhook', url: hook.url }),
      budgetCreated(tenant, 'b1'),
      channelSaved(world, other, { type: 'webhook', url: quick.url }),
      budgetCreated(other, 'b1'),
    ]);
    await burst(tenant, 10_000);
    await eventually(async () => (await world.alerts(tenant)).length === 10_000);
    await tell(world.store, [crossed(other, 'b1')]);
    await eventually(async () => quick.received.length === 1);
    const { length: sent } = hook.received;
    expect(sent).toBeLessThan(10_000);
    await eventually(async () => hook.received.length > sent + 50);
    expect(hook.most).toBeLessThanOrEqual(2);
    const ids = hook.received.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(ids.length);
    const { count } = await world.db
      .selectFrom('alerting.delivery')
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .where('tenant', '=', tenant)
      .executeTakeFirstOrThrow();
    expect(Number(count)).toBe(10_000);
    await Promise.all(services.map((service) => service.stop()));
    await quick.close();
  }, 180_000);

  const burst = async (of: string, count: number): Promise<void> => {
    const partition = partitionOf(of, world.store.partitions);
    for (let from = 0; from < count; from += 500) {
      const events = Array.from({ length: 500 }, (_, index) => {
        const data = crossing('b1', { episode: from + index + 1 });
        return {
          id: derivedId('burst', of, String(from + index)),
          type: 'ThresholdCrossed',
          version: 1,
          data: canonicalJson(data),
          meta: JSON.stringify({ tenant: of, actor: 'projector', via: 'projector' }),
          contentHash: contentHash(data),
        };
      });
      await world.store.append({ partition, stream: balanceStream(of, 'b1'), events, expectedRevision: 'any' });
    }
  };
});

describe('the breaker of a target', () => {
  test('opens after ten failures in a row, spares the target, and closes within 10 s of its return', async () => {
    const service = await bootDelivering(world);
    hook.answer = answering(500);
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url })]);
    await raise(world, tenant, ...Array.from({ length: 12 }, (_, index) => ({ episode: index + 1 })));
    const target = () =>
      world.db.selectFrom('alerting.target').select(['failures', 'open_until']).where('tenant', '=', tenant).executeTakeFirst();
    await eventually(async () => ((await target())?.failures ?? 0) >= 10);
    const { open_until } = (await target()) ?? { open_until: null };
    expect(open_until).not.toBeNull();
    const attempted = hook.received.length;
    // Two may have been under way when the tenth failed.
    expect(attempted).toBeLessThanOrEqual(12);
    hook.answer = answering(204);
    await deliveredAs(
      world,
      tenant,
      Array.from({ length: 12 }, () => 'delivered'),
    );
    expect(await target()).toMatchObject({ failures: 0, open_until: null });
    expect((await deliveriesOf(world, tenant)).every(({ attempts }) => attempts.length <= 4)).toBe(true);
    await service.stop();
  });
});
