import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { z } from 'zod';
import { InexactNumber } from '../../values/money.js';
import { parseWith } from '../parse.js';
import { CheckBody, ReservationBody } from './check.js';
import { readCheckFast, readReservationFast } from './fast.js';

const amount = fc.oneof(
  fc.constantFrom<unknown>('0.000001', '1', 1, 0, '0', '1.50', '-1', '1e3', 12.5, 1e15, null, true, '', new InexactNumber('1e5'), [], {}),
  fc.bigInt({ min: 0n, max: 10n ** 14n }).map(String),
);
const scope = fc.oneof(
  fc.constantFrom<unknown>('team:ml', 'user:ann', 'Team:x', 'team:', ':', 7, null, { type: 'team', id: 'ml' }, { type: 'team' }, 'org:ü'),
  fc.string({ maxLength: 6 }).map((id) => `team:${id}`),
);
const text = fc.oneof(
  fc.constantFrom<unknown>('chat', '', ' ', 'a\u0000', null, 3, 'x'.repeat(300), '\ud800'),
  fc.string({ maxLength: 8 }),
);
const quantities = fc.oneof(
  fc.dictionary(fc.constantFrom('inputTokens', 'outputTokens', 'totalTokens', 'images', '', '__proto__'), amount, { maxKeys: 3 }),
  fc.constantFrom<unknown>({ inputTokens: 3 }, { inputTokens: 0 }, {}, null, [], 'x'),
);
const check = {
  scopes: fc.oneof(
    fc.array(scope, { maxLength: 3 }),
    fc.constantFrom<unknown>(['team:ml'], ['a:1', 'a:1'], [], null, 'team:ml', Array(17).fill('a:1')),
  ),
  amount,
  currency: fc.constantFrom<unknown>('USD', 'EUR', 'usd', 'XXX', '', null, 1),
  category: text,
  dimensions: fc.oneof(fc.dictionary(fc.string({ maxLength: 3 }), text, { maxKeys: 3 }), fc.constantFrom<unknown>(null, [], 'x', {})),
};
const reservation = {
  ...check,
  id: text,
  meter: text,
  quantities,
  ttlSeconds: fc.oneof(
    fc.constantFrom<unknown>(1, 0, 86_400, 86_401, 1.5, '60', null, -0, new InexactNumber('1e2')),
    fc.integer({ min: -2, max: 90_000 }),
  ),
};
/** A good body with up to two of its fields others, or with any of them at all, and one that nobody knows. */
const bodies = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.oneof(
    {
      weight: 30,
      arbitrary: fc
        .tuple(fc.record(fields), fc.subarray(Object.keys(fields), { maxLength: 2 }))
        .map(([all, changed]) => ({ scopes: ['team:ml'], amount: '1', ...Object.fromEntries(changed.map((name) => [name, all[name]])) })),
    },
    { weight: 10, arbitrary: fc.record(fields, { requiredKeys: [] }) },
    { weight: 2, arbitrary: fc.record({ ...fields, surprise: fc.jsonValue() }, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(undefined, null, [], 'x', 1, {}, new InexactNumber('1e5')) },
    { weight: 4, arbitrary: quantities.map((of) => ({ scopes: ['team:ml'], quantities: of })) },
  );

type Row = readonly [
  name: string,
  schema: z.ZodType<unknown, unknown>,
  read: (value: unknown) => unknown,
  fields: Record<string, fc.Arbitrary<unknown>>,
];

test.each<Row>([
  ['check', CheckBody, readCheckFast, check],
  ['reservation', ReservationBody, readReservationFast, reservation],
])('the fast reading of a %s is what its schema makes of it, whatever is sent', (_name, schema, read, fields) => {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(bodies(fields), (body) => {
      const slow = parseWith(schema, body);
      const fast = read(body);
      expect(fast).toStrictEqual(slow.ok ? slow.value : undefined);
      if (fast === undefined) refused += 1;
      else accepted += 1;
    }),
    { numRuns: 2_000 },
  );
  expect(Math.min(accepted, refused)).toBeGreaterThan(200);
});
