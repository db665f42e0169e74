import { type EpochNs, NS_PER_SECOND, parsePicos } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import type { Standing } from '../domain/check/standing.js';
import type { Emitted } from '../domain/emitted.js';
import type { Refusing } from '../domain/refusal-event.js';
import { RecordedRefusals, RefusalWatch } from './record-refusals.js';

class Told extends RefusalWatch {
  events = 0;
  gone = 0;
  failures = 0;
  recorded(events: number): void {
    this.events += events;
  }
  lost(refusals: number): void {
    this.gone += refusals;
  }
  failed(): void {
    this.failures += 1;
  }
}

class Store {
  readonly partitions = 4;
  readonly appended: Emitted[] = [];
  refuses = 0;
  silent = false;
  async append(_partition: number, _stream: string, events: readonly Emitted[]): Promise<void> {
    if (this.silent) return new Promise(() => undefined);
    if (this.refuses > 0) {
      this.refuses -= 1;
      throw new Error('the store does not answer');
    }
    this.appended.push(...events);
  }
}

const standing = {
  state: {
    budgetId: 'b',
    currency: 'USD',
    scopes: ['team:a'],
    definedPosition: 1,
    controls: { pause: null, overrides: [] },
    definition: { name: 'B', scope: 'team:a', enforcement: { blockAtPercent: 100 } },
  },
  period: { start: 0n, end: 1n },
  limit: parsePicos('10'),
  spend: parsePicos('10'),
  reserved: 0n,
} as unknown as Standing;
const refusing = (second: number, user = 'a'): Refusing => ({
  tenant: 'acme',
  reservationId: null,
  code: 'budget_exceeded',
  question: { about: { scopes: [`user:${user}`] }, amount: parsePicos('1'), currency: 'USD' },
  currency: 'USD',
  standing,
  position: 7,
  at: BigInt(second) * NS_PER_SECOND,
});

const given = () => {
  const [store, told] = [new Store(), new Told()];
  const clock = { now: 0n as EpochNs };
  return { store, told, clock, refusals: new RecordedRefusals(store, told, () => clock.now) };
};
const counts = ({ appended }: Store): readonly unknown[] =>
  appended.map(({ data }) => JSON.parse(data)).map(({ scopes, count, refusedAt }) => `${scopes} ${count} ${refusedAt.slice(14, 19)}`);

test('the first is written at once; repeats within a minute are counted, and share its id', async () => {
  const { store, told, refusals } = given();
  const ids = [0, 1, 59].map((second) => refusals.refused(refusing(second)));
  const other = refusals.refused(refusing(2, 'b'));
  const next = refusals.refused(refusing(60));
  await refusals.stop();
  expect(new Set(ids).size).toBe(1);
  expect(new Set([...ids, other, next]).size).toBe(3);
  expect(counts(store)).toEqual(['user:a 1 00:00', 'user:b 1 00:02', 'user:a 2 00:01', 'user:a 1 01:00']);
  expect([told.events, told.gone]).toEqual([4, 0]);
});

test('by a budget that was changed it is another refusal: its figures are others; what was carried over may move', async () => {
  const { store, refusals } = given();
  const limit = parsePicos('11');
  const raised = { ...refusing(1), standing: { ...standing, limit, state: { ...standing.state, definedPosition: 5 } } };
  const moved = { ...refusing(2), standing: { ...standing, limit } };
  const [first, after, again] = [refusing(0), raised, moved].map((one) => refusals.refused(one));
  await refusals.stop();
  expect([after === first, again === first]).toEqual([false, true]);
  expect(store.appended.map(({ data }) => JSON.parse(data).limit.amount)).toEqual(['10', '11', '11']);
});

test('what has no price is another refusal where other units have none', async () => {
  const { store, refusals } = given();
  const unpriced = (second: number, units: readonly string[]): Refusing => {
    const { question, ...rest } = refusing(second);
    return { ...rest, code: 'price_missing', question: { ...question, amount: 0n, unpriced: units }, standing: null };
  };
  const asked = [['things'], ['parts'], ['things']];
  const [things, parts, again] = asked.map((units, second) => refusals.refused(unpriced(second, units)));
  await refusals.stop();
  expect(things).not.toBe(parts);
  expect(again).toBe(things);
  expect(counts(store)).toEqual(['user:a 1 00:00', 'user:a 1 00:01', 'user:a 1 00:02']);
});

test('every refusal is counted once, whatever the store does meanwhile', async () => {
  const { store, told, refusals } = given();
  store.refuses = 2;
  for (let n = 0; n < 500; n += 1) refusals.refused(refusing(n % 30, String(n % 7)));
  while (store.appended.length < 7) await new Promise((resolve) => setTimeout(resolve, 5));
  await refusals.stop();
  const total = store.appended.reduce((sum, { data }) => sum + (JSON.parse(data).count as number), 0);
  expect([total, told.gone, told.failures]).toEqual([500, 0, 2]);
});

test('what cannot be kept is lost, and counted', async () => {
  const { store, told, refusals } = given();
  store.silent = true;
  for (let n = 0; n < 10_010; n += 1) refusals.refused(refusing(0, String(n)));
  expect(told.gone).toBe(10);
  await refusals.stop();
  expect(told.gone).toBe(10_010);
});
