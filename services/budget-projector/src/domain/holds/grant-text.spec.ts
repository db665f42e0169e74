import { canonicalJson, formatPicos, type HoldsGranted, type HoldTerms, holdReservations, parsePicos } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { grantedText, partsOf, termsMembers, termsText } from './grant-text.js';
import { Grant, readGrant, readGrants } from './hold.js';
import { type LeftTexts, leftTexts } from './left.js';
import { readTerms } from './terms.js';

const amount = fc.nat().map(String);
const instant = fc.constantFrom('2026-03-01T00:00:00Z', '2026-03-01T00:00:00.000000001Z');
const terms: fc.Arbitrary<HoldTerms> = fc.record(
  {
    bodyHash: fc.string(),
    path: fc.array(fc.string({ unit: 'grapheme' })),
    amount,
    currency: fc.constantFrom('USD', 'EUR'),
    category: fc.string({ unit: 'grapheme' }),
    dimensions: fc.dictionary(fc.oneof(fc.string(), fc.nat({ max: 20 }).map(String)), fc.string()),
    grantedAt: instant,
    expiresAt: instant,
    overrideIds: fc.array(fc.string()),
    unpriced: fc.array(fc.string()),
    decidedAt: fc.nat(),
    budgets: fc.array(fc.record({ budgetId: fc.string(), periodStart: instant, amount })),
    tightest: fc.option(fc.string()),
  },
  { requiredKeys: ['bodyHash', 'path', 'amount', 'currency', 'grantedAt', 'expiresAt', 'decidedAt', 'budgets', 'tightest'] },
);
const left = fc.record({ remaining: fc.option(amount), graceRemaining: fc.option(amount) });
const id = fc.string({ unit: 'binary' });
const saidOf = (of: LeftTexts | null): object =>
  of === null ? {} : { remaining: of.remaining, ...(of.graceRemaining !== of.remaining && { graceRemaining: of.graceRemaining }) };

test('the texts put together are the canonical JSON of what is granted, whatever it says', () => {
  fc.assert(
    fc.property(fc.string(), terms, fc.array(id, { maxLength: 5 }), fc.option(left), (tenant, wire, reservationIds, of) => {
      const granted = { change: 'granted' as const, tenant, terms: wire, reservationIds, ...saidOf(of) };
      expect(grantedText(tenant, termsText(partsOf(wire)), reservationIds, of)).toBe(canonicalJson(granted));
    }),
  );
});

test('what is read of the texts is what was written, whether an event says it or a table has it; of each one the amount less', () => {
  fc.assert(
    fc.property(terms, fc.uniqueArray(id, { minLength: 1, maxLength: 5 }), fc.option(left), (wire, ids, of) => {
      const said = { ...wire, tightest: of === null ? null : 'tight' };
      const granted = JSON.parse(grantedText('acme', termsText(partsOf(said)), ids, of)) as HoldsGranted;
      const amount = parsePicos(wire.amount);
      const less = (text: string | null, nth: number): string | null =>
        text === null ? null : formatPicos(parsePicos(text) - BigInt(nth) * amount);
      const [fromEvent, fromTable] = [readGrants(granted), holdReservations(granted).map((one) => readGrant(said, one))];
      for (const [nth, one] of ids.entries()) {
        const expected = of === null ? null : { remaining: less(of.remaining, nth), graceRemaining: less(of.graceRemaining, nth) };
        const fromTerms = new Grant(one, fromEvent[0]?.terms ?? readTerms(said), null);
        for (const grant of [fromEvent[nth], fromTable[nth], fromTerms]) {
          expect(grant?.reservationId).toBe(one);
          expect(canonicalJson(grant?.terms.wire)).toBe(canonicalJson(said));
          expect(grant?.left == null ? null : leftTexts(grant.left)).toEqual(expected);
        }
      }
    }),
  );
});

test('an event says terms once: before that their text is asked for, and after it what the event grants on them', () => {
  const [wire] = fc.sample(terms, 1);
  if (wire === undefined) throw new Error('there is one');
  const one = readTerms(wire);
  expect([one.text, () => one.granted]).toEqual([canonicalJson(wire), expect.any(Function)]);
  expect(() => one.granted).toThrow('no event');
  one.saidBy(grantedText('acme', one.text, [], null));
  expect(one.granted).toBe(grantedText('acme', canonicalJson(wire), [], null));
  expect(() => one.text).toThrow('an event');
});

test('an answer says of the terms what their event says, and no more', () => {
  fc.assert(
    fc.property(terms, (wire) => {
      const { bodyHash: _b, decidedAt: _d, tightest: _t, ...rest } = wire;
      expect(canonicalJson(JSON.parse(`{${termsMembers(partsOf(wire))}}`))).toBe(canonicalJson(rest));
    }),
  );
});
