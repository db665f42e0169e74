import { canonicalJson, type HoldGranted } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { grantMembers, grantText, partsOf } from './grant-text.js';
import { readGrant } from './hold.js';

const amount = fc.nat().map(String);
const instant = fc.constantFrom('2026-03-01T00:00:00Z', '2026-03-01T00:00:00.000000001Z');
const granted: fc.Arbitrary<HoldGranted> = fc.record(
  {
    change: fc.constant('granted' as const),
    tenant: fc.string(),
    reservationId: fc.string({ unit: 'binary' }),
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
    tightest: fc.option(fc.record({ budgetId: fc.string(), remaining: fc.option(amount), graceRemaining: fc.option(amount) })),
  },
  {
    requiredKeys: [
      'change',
      'tenant',
      'reservationId',
      'bodyHash',
      'path',
      'amount',
      'currency',
      'grantedAt',
      'expiresAt',
      'decidedAt',
      'budgets',
      'tightest',
    ],
  },
);

test('the text put together is the canonical JSON of the grant, whatever it says', () => {
  fc.assert(fc.property(granted, (wire) => expect(grantText(partsOf(wire))).toBe(canonicalJson(wire))));
});

test('what is read of the text is what was written', () => {
  fc.assert(
    fc.property(granted, (wire) => expect(canonicalJson(readGrant(wire, grantText(partsOf(wire))).wire)).toBe(canonicalJson(wire))),
  );
});

test('an answer says of a grant what its event says, and no more', () => {
  fc.assert(
    fc.property(granted, (wire) => {
      const { change: _, tenant: _t, reservationId: _r, bodyHash: _b, decidedAt: _d, tightest: _g, ...rest } = wire;
      expect(canonicalJson(JSON.parse(`{${grantMembers(partsOf(wire))}}`))).toBe(canonicalJson(rest));
    }),
  );
});
