import { PICOS_PER_UNIT } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { Changes } from '../src/domain/changes.js';
import type { Ask } from '../src/domain/holds/ask.js';
import { foldGranted, type HoldsChangedEvent } from '../src/domain/holds/fold-holds.js';
import { readGrants } from '../src/domain/holds/hold.js';
import { NotDecidedError, OutcomeUnknownError } from '../src/features/hold-outcomes.js';
import { ask, budgetOfOne, changesOf, errorsOf, setUp, turns } from './support/desk.js';

describe('a hold desk with an append on its way', () => {
  test('decides more while an append is on its way, and appends that as soon as it is in, in order', async () => {
    const { desk, on, appends } = setUp();
    const first = Promise.withResolvers<void>();
    let begun = 0;
    on.append = async () => {
      begun += 1;
      if (begun === 1) await first.promise;
    };
    const asked = Array.from({ length: 140 }, (_, n) => desk.reserve('acme', ask(`r${n}`)));
    while (begun === 0) await new Promise((resolve) => setImmediate(resolve));
    const later = desk.reserve('acme', ask('later'));
    for (let n = 0; n < 10; n += 1) await new Promise((resolve) => setImmediate(resolve));
    expect([begun, appends.length]).toEqual([1, 0]);
    first.resolve();
    const answers = await Promise.all([...asked, later]);
    expect(answers.every(({ outcome, isFenced }) => outcome.is === 'held' && isFenced)).toBe(true);
    expect(appends.map((data) => (JSON.parse(data) as { changes: unknown[] }).changes.length)).toEqual([128, 13]);
  });

  test('the same id again while its append is on its way is answered with the same position', async () => {
    const { desk, on } = setUp();
    const first = Promise.withResolvers<void>();
    on.append = async () => first.promise;
    const one = desk.reserve('acme', ask('a'));
    for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
    const again = desk.reserve('acme', ask('a'));
    for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
    first.resolve();
    const positions = (await Promise.all([one, again])).map(({ outcome }) => outcome.is === 'held' && outcome.held.position);
    expect(positions).toEqual([1, 1]);
  });

  test('when an append fails, what was decided behind it never goes: its callers may ask another owner', async () => {
    const { desk, on, appends, failures } = setUp();
    on.append = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error('lost');
    };
    const errors = await errorsOf(Array.from({ length: 140 }, (_, n) => desk.reserve('acme', ask(`r${n}`))));
    expect(errors.slice(0, 128)).toEqual(Array.from({ length: 128 }, () => OutcomeUnknownError));
    expect(errors.slice(128)).toEqual(Array.from({ length: 12 }, () => NotDecidedError));
    expect([appends, failures.length]).toEqual([[], 1]);
  });

  test('an event that is full goes before more is decided', async () => {
    const { desk, appends } = setUp();
    const wide = (id: string): Ask => ({ ...ask(id), dimensions: { note: 'x'.repeat(100_000) } });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => desk.reserve('acme', wide(id))));
    expect(appends.map((data) => (JSON.parse(data) as { changes: unknown[] }).changes.length)).toEqual([2, 2, 1]);
  });

  test('a hold that is folded before its group is said is the same hold, at the same position, to whoever asks again meanwhile', async () => {
    const { desk, tenant, on } = setUp();
    const first = Promise.withResolvers<void>();
    on.append = async (data) => {
      const [granted] = (JSON.parse(data) as HoldsChangedEvent['data']).changes;
      if (granted?.change === 'granted')
        foldGranted(tenant, readGrants(granted), new Set(), { position: 1 } as HoldsChangedEvent, new Changes());
      await first.promise;
    };
    const said: string[] = [];
    const asking = (name: string) =>
      desk.reserve('acme', ask('a')).then(({ outcome }) => {
        said.push(name);
        return outcome;
      });
    const one = asking('first');
    await turns(5);
    expect([tenant.holds.has('a'), tenant.undecided.isEmpty]).toEqual([true, true]);
    const again = asking('again');
    await turns(5);
    expect(said).toEqual([]);
    first.resolve();
    const outcomes = await Promise.all([one, again]);
    expect(outcomes.map((outcome) => outcome.is === 'held' && outcome.held.position)).toEqual([1, 1]);
  });

  test('when the append fails, whoever asks again meanwhile may ask another owner: who asked first does not know', async () => {
    const { desk, on } = setUp();
    const first = Promise.withResolvers<void>();
    on.append = async () => first.promise;
    const one = desk.reserve('acme', ask('a'));
    await turns(5);
    const again = desk.reserve('acme', ask('a'));
    await turns(5);
    first.reject(new Error('lost'));
    expect(await errorsOf([one, again])).toEqual([OutcomeUnknownError, NotDecidedError]);
  });

  test('nobody is refused for the sake of a hold that is not in the ledger', async () => {
    const { desk, on } = setUp(budgetOfOne());
    const first = Promise.withResolvers<void>();
    on.append = async () => first.promise;
    const wants = (id: string): Ask => ({ ...ask(id), what: { amount: PICOS_PER_UNIT, currency: 'USD' } });
    const held = desk.reserve('acme', wants('a'));
    await turns(5);
    let isSaid = false;
    const refused = desk.reserve('acme', wants('b')).finally(() => {
      isSaid = true;
    });
    const result = errorsOf([held, refused]);
    await turns(5);
    expect(isSaid).toBe(false);
    first.reject(new Error('lost'));
    expect(await result).toEqual([OutcomeUnknownError, NotDecidedError]);
  });

  test('two that there is room for once: one is held, the other refused, in one group and beside an append on its way', async () => {
    for (const pause of [0, 5]) {
      const { desk, on } = setUp(budgetOfOne());
      const first = Promise.withResolvers<void>();
      on.append = async () => first.promise;
      const wants = (id: string): Ask => ({ ...ask(id), what: { amount: PICOS_PER_UNIT, currency: 'USD' } });
      const held = desk.reserve('acme', wants('a'));
      await turns(pause);
      const refused = desk.reserve('acme', wants('b'));
      await turns(5);
      first.resolve();
      expect((await Promise.all([held, refused])).map(({ outcome }) => outcome.is)).toEqual(['held', 'refused']);
    }
  });

  test('a release of what is on its way goes behind it, once, however often it is asked for', async () => {
    const { desk, on, appends } = setUp();
    const first = Promise.withResolvers<void>();
    on.append = async () => first.promise;
    const held = desk.reserve('acme', ask('a'));
    await turns(5);
    const released = [desk.release('acme', 'a'), desk.release('acme', 'a')];
    await turns(5);
    expect(appends).toEqual([]);
    first.resolve();
    await held;
    const answers = await Promise.all(released);
    expect(changesOf(appends)).toEqual([['granted a'], ['released a']]);
    expect(answers.map(({ outcome }) => outcome)).toEqual([
      { is: 'released', position: 2 },
      { is: 'released', position: 2 },
    ]);
  });

  test('a session that ends while an append is on its way says what that held, and nothing that was decided behind it', async () => {
    const { desk, on, appends, failures } = setUp();
    const first = Promise.withResolvers<void>();
    on.append = async () => first.promise;
    const asked = errorsOf(Array.from({ length: 140 }, (_, n) => desk.reserve('acme', ask(`r${n}`))));
    await turns(10);
    desk.stop();
    first.resolve();
    const answers = await asked;
    expect(answers.slice(0, 128)).toEqual(Array.from({ length: 128 }, () => expect.objectContaining({ isFenced: true })));
    expect(answers.slice(128)).toEqual(Array.from({ length: 12 }, () => NotDecidedError));
    expect([appends.length, failures]).toEqual([1, []]);
  });

  test('what was looked up stays in memory until the last of it is decided, also behind an event that is full', async () => {
    const { desk, on, memory } = setUp();
    const first = Promise.withResolvers<void>();
    on.append = async () => first.promise;
    const wide = (id: string): Ask => ({ ...ask(id), dimensions: { note: 'x'.repeat(100_000) } });
    const one = desk.reserve('acme', ask('first'));
    await turns(5);
    expect(memory.lookups).toBe(0);
    const rest = Promise.all(['a', 'b', 'c'].map((id) => desk.reserve('acme', wide(id))));
    await turns(5);
    expect(memory.lookups).toBe(1);
    first.resolve();
    await Promise.all([one, rest]);
    await turns(2);
    expect(memory.lookups).toBe(0);
  });
});
