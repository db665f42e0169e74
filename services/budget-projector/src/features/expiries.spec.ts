import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Expiries } from './expiries.js';

const SECOND = 1_000_000_000n;

const one = fc.record({
  tenant: fc.constantFrom('acme', 'beta'),
  reservationId: fc.constantFrom('a', 'b', 'c', 'd'),
  expiresAt: fc.bigInt({ min: 0n, max: 4n }).map((half) => (half * SECOND) / 2n),
});
const step = fc.oneof(fc.record({ does: fc.constant('add' as const), one }), fc.record({ does: fc.constant('remove' as const), one }));

test('due is what was added and not removed since, and whose time is over', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.bigInt({ min: 0n, max: 5n }), (steps, half) => {
      const expiries = new Expiries();
      const model = new Map<string, (typeof steps)[number]['one']>();
      for (const { does, one: it } of steps) {
        const key = `${it.tenant} ${it.reservationId} ${it.expiresAt}`;
        if (does === 'add') model.set(key, it);
        else model.delete(key);
        expiries[does](it);
      }
      const now = (half * SECOND) / 2n;
      const texts = (due: readonly { tenant: string; reservationId: string; expiresAt: bigint }[]): readonly string[] =>
        [...new Set(due.map((it) => `${it.tenant} ${it.reservationId} ${it.expiresAt}`))].sort();
      expect(texts(expiries.due(now))).toEqual(texts([...model.values()].filter(({ expiresAt }) => expiresAt <= now)));
    }),
  );
});

test('what ends together is taken out one by one, and leaves nothing behind', () => {
  const expiries = new Expiries();
  const ids = Array.from({ length: 64 }, (_, n) => `r${n}`);
  expiries.addAll('acme', SECOND, ids);
  expiries.addAll('acme', SECOND, ['late']);
  for (const reservationId of ids) expiries.remove({ tenant: 'acme', reservationId, expiresAt: SECOND });
  expect(expiries.due(SECOND)).toEqual([{ tenant: 'acme', reservationId: 'late', expiresAt: SECOND }]);
  expiries.remove({ tenant: 'acme', reservationId: 'late', expiresAt: SECOND });
  expect(expiries.due(SECOND)).toEqual([]);
});
