import { until } from '@bursar/embedded';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { sql } from 'kysely';
import { tell } from './support/events.js';
import { budgetCreated, crossed } from './support/make.js';
import { startWorld, type World } from './support/world.js';

type Heard = Readonly<{ subject: string; id: string; revision: number; type: string; severity: string }>;

let world: World;
let nc: NatsConnection;
beforeAll(async () => {
  world = await startWorld();
  const { host, username, password } = new URL(world.nats?.url ?? '');
  nc = await connect({ servers: host, user: username, pass: password });
  await world.boot();
});
afterAll(async () => {
  await nc?.close();
  await world?.stop();
});

/** Reads the stream from the start, on these subjects, until so many revisions were heard. */
const hear = async (filter: string, revisions: number): Promise<readonly Heard[]> => {
  const consumer = await jetstream(nc).consumers.get('ALERTS', { filter_subjects: [filter] });
  const heard: Heard[] = [];
  const messages = await consumer.consume();
  for await (const message of messages) {
    heard.push(read(message));
    if (new Set(heard.map(({ id }) => id)).size >= revisions) break;
  }
  await messages.close();
  return heard;
};
const read = (message: JsMsg): Heard => {
  const event = message.json<{ id: string; revision: string; type: string; data: { severity: string } }>();
  expect(message.headers?.get('Nats-Msg-Id')).toBe(event.id);
  return { subject: message.subject, id: event.id, revision: Number(event.revision), type: event.type, severity: event.data.severity };
};

describe('the alert topics (PRODUCT J6)', () => {
  test('a subscriber that was away catches up, and proves by the revisions that it missed nothing', async () => {
    const crossings = Array.from({ length: 30 }, (_, n) => crossed('acme', 'b1', { episode: n + 1, scope: 'user:alice@acme.com' }));
    await tell(world.store, [budgetCreated('acme', 'b1'), ...crossings]);
    const heard = await hear('alerts.acme.>', 30);
    expect(heard.map(({ revision }) => revision)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect(heard[0]).toMatchObject({ subject: 'alerts.acme.warning.user.=YWxpY2VAYWNtZS5jb20.b1', type: 'bursar.threshold.crossed.v1' });
  });

  test('a durable subscriber that dies in the middle goes on where it stopped, and what it had in hand comes again', async () => {
    const crossings = Array.from({ length: 20 }, (_, n) => crossed('mortal', 'b1', { episode: n + 1 }));
    await tell(world.store, [budgetCreated('mortal', 'b1'), ...crossings.slice(0, 12)]);
    const { host, username, password } = new URL(world.nats?.url ?? '');
    const handled: number[] = [];
    /** Handles so many; the next one it has in hand when it dies. */
    const live = async (count: number): Promise<void> => {
      const mine = await connect({ servers: host, user: username, pass: password });
      const consumer = await jetstream(mine).consumers.get('ALERTS', 'mortal');
      for await (const message of await consumer.consume()) {
        if (new Set(handled).size === count) break;
        handled.push(read(message).revision);
        await message.ackAck();
        if (new Set(handled).size === 20) break;
      }
      await mine.close();
    };
    const manager = await jetstreamManager(nc);
    await manager.consumers.add('ALERTS', {
      durable_name: 'mortal',
      ack_policy: 'explicit',
      ack_wait: 1_000_000_000,
      filter_subject: 'alerts.mortal.>',
    });
    await live(7);
    await tell(world.store, crossings.slice(12));
    await live(20);
    expect([...new Set(handled)].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    await manager.consumers.delete('ALERTS', 'mortal');
  });

  test('tokens choose: one severity, one scope', async () => {
    await tell(world.store, [
      crossed('globex', 'b2', { scope: 'team:ml' }),
      crossed('globex', 'b3', {
        scope: 'team:ops',
        definition: { percent: '95', severity: 'critical', actions: ['notify'] },
        threshold: '95%',
      }),
    ]);
    const [critical] = await hear('alerts.*.critical.team.ops.*', 1);
    expect(critical).toMatchObject({ subject: 'alerts.globex.critical.team.ops.b3', severity: 'critical', revision: 1 });
  });

  test('an alert is on its topic before it is recorded, and not again afterwards', async () => {
    await tell(world.store, [budgetCreated('early', 'b1'), crossed('early', 'b1', { episode: 1 })]);
    await hear('alerts.early.>', 1);
    await until(async () => (await world.alerts('early'))[0]?.published_sequence != null, 90_000);
    await world.db.transaction().execute(async (trx) => {
      await sql`SET LOCAL idle_in_transaction_session_timeout = '90s'`.execute(trx);
      await sql`LOCK TABLE alerting.alert IN ACCESS EXCLUSIVE MODE`.execute(trx);
      await tell(world.store, [crossed('early', 'b1', { episode: 2 })]);
      expect((await hear('alerts.early.>', 2)).map(({ revision }) => revision)).toEqual([0, 1]);
    });
    await until(async () => (await world.alerts('early'))[1]?.published_sequence != null, 90_000);
    const { state } = await (await jetstreamManager(nc)).streams.info('ALERTS', { subjects_filter: 'alerts.early.>' });
    expect(Object.values(state.subjects ?? {})).toEqual([2]);
  });

  test('a stream that was wiped comes back from what is recorded', async () => {
    const before = await hear('alerts.acme.>', 30);
    await (await jetstreamManager(nc)).streams.delete('ALERTS');
    // It is made anew by whoever guards the streams; only then can it be read.
    await world.raised('acme', 30);
    const again = await hearAgain('alerts.acme.>', 30);
    expect(new Set(again.map(({ id }) => id))).toEqual(new Set(before.map(({ id }) => id)));
  });
});

const hearAgain = async (filter: string, revisions: number): Promise<readonly Heard[]> => {
  for (;;) {
    try {
      return await hear(filter, revisions);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};
