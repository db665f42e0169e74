import { randomUUID } from 'node:crypto';
import { usageEventId, usageStream } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { type Answered, inParallel, insist } from './support/contenders.js';
import { block, Writer } from './support/enforcement.js';
import { projecting } from './support/projecting.js';
import { append, eventually } from './support/real.js';
import { TENANT } from './support/world.js';

/** What broke in LiteLLM (and its like) by the number of the report, RELIABILITY §6: what must hold here, against real processes. */
const run = projecting(2);
const urls = (): readonly string[] => run.running.map(({ url }) => url);

/** A place of its own in the tree, with what a regression needs there. */
class Place {
  readonly write: Writer;
  #position = 0;

  constructor(readonly name: string) {
    this.write = new Writer(run.at, name);
  }

  scope(type: string): string {
    return `${type}:${this.name}`;
  }

  async budget(type: string, limit: number | string, above: readonly string[] = []): Promise<void> {
    if (above.length > 0)
      await this.write.scope(
        this.scope(type),
        above.map((one) => this.scope(one)),
      );
    const money = { limit: { amount: String(limit), currency: 'USD' } };
    this.#position = await this.write.budget(`${this.name}-${type}`, { scope: this.scope(type) }, { ...money, ...block() });
    await this.folded();
  }

  async use(type: string, amount: string, more: object = {}): Promise<void> {
    this.#position = await this.write.use(this.scope(type), amount, more as Record<string, unknown>);
    await this.folded();
  }

  /** The same usage, as often as it is sent. */
  async send(type: string, id: string, amount: string, more: object = {}): Promise<void> {
    const scopes = [this.scope(type)];
    const cost = { amount, currency: 'USD' };
    const data = { id, source: 'proxy', occurredAt: '2020-01-01T00:00:00Z', scopes, status: 'succeeded', cost, ...more };
    const event = { stream: usageStream(TENANT), type: 'UsageRecorded', meta: { tenant: TENANT } };
    const stored = { ...event, id: usageEventId(TENANT, this.name, id), data: { ...data, occurredAt: this.#now } };
    this.#position = await append(run.at.store, stored);
    await this.folded();
  }
  readonly #now = new Date().toISOString();

  reserve(type: string, amount: string, more: object = {}): Promise<Answered> {
    return insist(urls, 'POST', '/reservations', { id: randomUUID(), scopes: [this.scope(type)], amount, ...more });
  }

  check(type: string, amount: string): Promise<Answered> {
    return insist(urls, 'POST', '/check', { scopes: [this.scope(type)], amount });
  }

  /** Of so many at once, how many are granted. */
  async granted(count: number, type: string, amount: string): Promise<number> {
    const answers = await inParallel(count, count, () => this.reserve(type, amount));
    return answers.filter(({ status }) => status === 201).length;
  }

  async folded(): Promise<void> {
    await eventually(
      () => insist(urls, 'POST', `/check?minPosition=0:${this.#position}`, { scopes: [this.scope('any')], amount: '0' }),
      ({ status }) => status === 200,
    );
  }
}

const find = (id: string): Promise<Answered> => insist(urls, 'GET', `/reservations/${id}`);
type Row = readonly [reports: string, what: string, run: (place: Place) => Promise<void>];
const rows = (title: string, table: readonly Row[]): void => {
  describe(title, () => {
    test.each(table)(
      '%s: %s',
      async (reports, _what, run) => run(new Place(`r${reports.replaceAll(/[^a-z0-9]/gi, '').slice(0, 24)}`)),
      60_000,
    );
  });
};

rows('cap leaks under concurrency', [
  [
    '#26672',
    'of 64 callers at once, as many are admitted as fit',
    async (place) => {
      await place.budget('key', 100);
      expect(await place.granted(64, 'key', '3')).toBe(33);
    },
  ],
  [
    '#34732',
    'the cap of a session holds under the user and the team it belongs to',
    async (place) => {
      await place.budget('team', 1_000);
      await place.budget('user', 500, ['team']);
      await place.budget('session', 2, ['user']);
      expect(await place.granted(40, 'session', '0.5')).toBe(4);
    },
  ],
  [
    '#40095',
    'the first requests of a customer nobody has seen are counted like all others',
    async (place) => {
      // Nobody registers it: there is a budget for it, and that is all.
      await place.budget('customer', 5);
      expect(await place.granted(50, 'customer', '1')).toBe(5);
    },
  ],
  [
    '#34238',
    'what was spent is not forgotten with the process that counted it',
    async (place) => {
      await place.budget('key', 10);
      await place.use('key', '9');
      expect(await place.granted(4, 'key', '1')).toBe(1);
      const { owner } = run.projectors;
      if (owner !== null) await run.projectors.kill(owner);
      const left = run.running.filter((one) => one !== owner);
      run.running.splice(0, run.running.length, ...left, await run.projectors.start());
      expect(await place.granted(4, 'key', '0.5')).toBe(0);
    },
  ],
  [
    '#27381',
    'a budget is in force with the answer that it was made, without being registered anywhere',
    async (place) => {
      await place.budget('key', 1);
      expect((await place.reserve('key', '1.01')).status).toBe(402);
    },
  ],
  [
    '#12794',
    'a batch is held as a whole, or not at all',
    async (place) => {
      await place.budget('key', 100);
      const batches = await inParallel(5, 5, () => place.reserve('key', '40'));
      expect(batches.filter(({ status }) => status === 201)).toHaveLength(2);
    },
  ],
  [
    'PR #40002',
    '5 callers of 0.12 do not spend 0.60 on a key of 0.45',
    async (place) => {
      await place.budget('key', '0.45');
      expect(await place.granted(5, 'key', '0.12')).toBe(3);
    },
  ],
  [
    'bifrost#3547',
    'two replicas asked at once admit no more than one would',
    async (place) => {
      await place.budget('key', 10);
      const answers = await inParallel(40, 40, (n) => {
        const one = urls()[n % 2] ?? '';
        return insist(() => [one], 'POST', '/reservations', { id: randomUUID(), scopes: [place.scope('key')], amount: '1' });
      });
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    },
  ],
]);

rows('counters drift, false blocks', [
  [
    '#27639, #30460',
    'an estimate of 50 that came to 14 leaves 14, and all the room above it',
    async (place) => {
      await place.budget('key', 60);
      await place.reserve('key', '50', { id: `${place.name}-1` });
      await place.use('key', '14', { reservationId: `${place.name}-1` });
      expect((await place.check('key', '46')).body).toMatchObject({ allowed: true, currentSpend: '14', reserved: '0', remaining: '46' });
    },
  ],
  [
    '#27735, #40050',
    'usage that is sent again does not count again: no block at 61 with a truth of 30.5',
    async (place) => {
      await place.budget('key', 61);
      for (let n = 0; n < 3; n += 1) await place.send('key', 'once', '30.5');
      expect((await place.reserve('key', '30.5')).status).toBe(201);
    },
  ],
  [
    '#22726',
    'holds that were released leave nothing behind, however often',
    async (place) => {
      await place.budget('key', 1);
      for (let n = 0; n < 20; n += 1) {
        const id = `${place.name}-${n}`;
        expect((await place.reserve('key', '1', { id })).status).toBe(201);
        expect((await insist(urls, 'DELETE', `/reservations/${id}`)).status).toBe(204);
        await eventually(
          () => place.check('key', '1'),
          ({ body }) => body.reserved === '0',
        );
      }
    },
  ],
  [
    '#20615',
    'without a budget nothing is refused, whatever was spent',
    async (place) => {
      await place.use('key', '1000000');
      expect((await place.reserve('key', '1000000')).status).toBe(201);
    },
  ],
]);

rows('holds leak or vanish', [
  [
    '#30522',
    'the hold of a stream that was cancelled ends by its time, and its room is free again',
    async (place) => {
      await place.budget('key', 5);
      await place.reserve('key', '5', { id: `${place.name}-1`, ttlSeconds: 5 });
      expect((await place.reserve('key', '1')).status).toBe(402);
      await eventually(
        () => find(`${place.name}-1`),
        ({ body }) => body.status === 'expired',
      );
      await eventually(
        () => place.check('key', '5'),
        ({ body }) => String(body.allowed) === 'true',
      );
    },
  ],
  [
    '#30039',
    'usage that comes after its hold has ended still counts, in full, and says so',
    async (place) => {
      await place.budget('key', 10);
      await place.reserve('key', '2', { id: `${place.name}-1`, ttlSeconds: 1 });
      await eventually(
        () => find(`${place.name}-1`),
        ({ body }) => body.status === 'expired',
      );
      await place.use('key', '3', { reservationId: `${place.name}-1` });
      expect((await place.check('key', '7')).body).toMatchObject({ allowed: true, currentSpend: '3', reserved: '0' });
      expect((await find(`${place.name}-1`)).body.flags).toContain('SettledAfterExpiry');
    },
  ],
  [
    'PR #29493',
    'a hold becomes spend in one step: nobody ever sees both, or neither',
    async (place) => {
      await place.budget('key', 100);
      await place.reserve('key', '10', { id: `${place.name}-1` });
      let isSettled = false;
      const seen = new Set<string>();
      const watching = (async () => {
        while (!isSettled) {
          const { body } = await place.check('key', '0');
          seen.add(`${body.currentSpend} ${body.reserved}`);
        }
      })();
      await place.use('key', '10', { reservationId: `${place.name}-1` });
      isSettled = true;
      await watching;
      expect([...seen].filter((pair) => pair !== '0 10' && pair !== '10 0')).toEqual([]);
    },
  ],
]);

rows('which limit applies', [
  [
    '#14097, #11962',
    'a member is refused by the team, though his own budget has room',
    async (place) => {
      await place.budget('team', 5);
      await place.budget('user', 100, ['team']);
      expect((await place.reserve('user', '6')).body).toMatchObject({ status: 402, budgetId: `${place.name}-team` });
    },
  ],
  [
    '#17054',
    'a member is refused by his own budget, though the team has room',
    async (place) => {
      await place.budget('team', 100);
      await place.budget('user', 5, ['team']);
      expect((await place.reserve('user', '6')).body).toMatchObject({ status: 402, budgetId: `${place.name}-user` });
      expect((await place.reserve('team', '6')).status).toBe(201);
    },
  ],
  [
    'PR #18813',
    'of several budgets on one scope each counts, and the tightest decides',
    async (place) => {
      await place.budget('key', 100);
      const model = { filter: { dimensions: { model: 'gpt-*' } }, limit: { amount: '1', currency: 'USD' } };
      await place.write.budget(`${place.name}-model`, { scope: place.scope('key') }, model);
      await place.use('key', '0');
      expect((await place.reserve('key', '2', { dimensions: { model: 'gpt-5' } })).body).toMatchObject({ budgetId: `${place.name}-model` });
      expect((await place.reserve('key', '2', { dimensions: { model: 'haiku' } })).status).toBe(201);
    },
  ],
  [
    'PR #41271',
    'a limit of 0 is 0, and not unlimited',
    async (place) => {
      await place.budget('key', 0);
      expect((await place.reserve('key', '0.000000000001')).status).toBe(402);
    },
  ],
]);

rows('aborted streams, zero replaced', [
  [
    '#14457',
    'a cost of exactly zero is zero: it frees the hold and adds nothing',
    async (place) => {
      await place.budget('key', 10);
      await place.reserve('key', '10', { id: `${place.name}-1` });
      await place.use('key', '0', { reservationId: `${place.name}-1` });
      expect((await place.check('key', '10')).body).toMatchObject({ allowed: true, currentSpend: '0', reserved: '0' });
    },
  ],
  [
    '#13245, PR #33736',
    'a call that failed half-way costs what it cost until then',
    async (place) => {
      await place.budget('key', 10);
      await place.reserve('key', '8', { id: `${place.name}-1` });
      await place.use('key', '2.5', { reservationId: `${place.name}-1`, status: 'failed' });
      expect((await place.check('key', '7.5')).body).toMatchObject({ allowed: true, currentSpend: '2.5', reserved: '0' });
    },
  ],
  [
    'PR #36008, #37992',
    'a hold that was abandoned ends by its time and says so; nothing is made up in its place',
    async (place) => {
      await place.budget('key', 10);
      await place.reserve('key', '4', { id: `${place.name}-1`, ttlSeconds: 1 });
      const ended = await eventually(
        () => find(`${place.name}-1`),
        ({ body }) => body.status === 'expired',
      );
      expect(ended.body).toMatchObject({ settledBy: null, actual: null });
      expect((await place.check('key', '0')).body).toMatchObject({ currentSpend: '0' });
    },
  ],
]);
