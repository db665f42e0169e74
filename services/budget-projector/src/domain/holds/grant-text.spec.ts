import { canonicalJson, type HoldReservation, type HoldTerms } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { grantedText, leftTexts, partsOf, reservationText, termsMembers, termsText } from './grant-text.js';
import { readGrant, readGrants } from './hold.js';
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

test('the texts put together are the canonical JSON of what is granted, whatever it says', () => {
  const reservations = fc.array(fc.tuple(id, fc.option(left)), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.string(), terms, reservations, (tenant, wire, all) => {
      const said: HoldReservation[] = all.map(([one, of]) => ({
        id: one,
        ...(of !== null && { remaining: of.remaining }),
        ...(of !== null && of.graceRemaining !== of.remaining && { graceRemaining: of.graceRemaining }),
      }));
      const texts = all.map(([one, of]) => reservationText(one, of));
      const granted = { change: 'granted' as const, tenant, terms: wire, reservations: said };
      expect(grantedText(tenant, termsText(partsOf(wire)), texts)).toBe(canonicalJson(granted));
    }),
  );
});

test('what is read of the texts is what was written, whether an event says it or a table has it', () => {
  fc.assert(
    fc.property(terms, id, fc.option(left), (wire, one, of) => {
      const said = { ...wire, tightest: of === null ? null : 'tight' };
      const text = reservationText(one, of);
      const reservation = JSON.parse(text) as HoldReservation;
      const fromTable = readGrant(said, reservation);
      const [fromEvent] = readGrants({ change: 'granted', tenant: 'acme', terms: said, reservations: [reservation] });
      for (const grant of [fromTable, fromEvent]) {
        expect(canonicalJson(grant?.terms.wire)).toBe(canonicalJson(said));
        expect(grant?.left == null ? null : leftTexts(grant.left)).toEqual(of);
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
  one.saidBy(grantedText('acme', one.text, []));
  expect(one.granted).toBe(grantedText('acme', canonicalJson(wire), []));
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
