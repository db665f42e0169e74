import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { contentHash } from '../../values/canonical.js';
import { usageContentHash } from './content.js';
import type { SentUsage } from './sent.js';

const text = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), fc.constantFrom('"', '\\', '\u2028', 'é', '😀'));
const key = fc
  .oneof(text, fc.constantFrom('0', '9', '10', '01', '-1', '4294967295', 'constructor', 'b', 'a', 'B'))
  .filter((name) => name !== '__proto__');
const map = fc.dictionary(key, text, { maxKeys: 6, noNullPrototype: true });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const usage: fc.Arbitrary<SentUsage> = fc
  .record({
    status: optional(fc.constantFrom('succeeded' as const, 'failed' as const)),
    source: text,
    scopes: fc.array(text, { minLength: 1, maxLength: 3 }),
    id: text,
    occurredAt: optional(text),
    meter: optional(text),
    category: optional(text),
    description: optional(text),
    cost: optional(fc.oneof(fc.record({ currency: text, amount: text }), fc.record({ amount: text }))),
    quantities: optional(map),
    dimensions: optional(map),
    reservationId: optional(text),
    allocation: optional(fc.array(fc.record({ scope: text, percent: text }), { maxLength: 2 })),
    metadata: optional(fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3, noNullPrototype: true })),
  })
  .map((event) => event as SentUsage);

test('the fast hash is the content hash, whatever the event holds', () => {
  fc.assert(
    fc.property(usage, (sent) => {
      expect(usageContentHash(sent).toString('hex')).toBe(contentHash(sent).toString('hex'));
    }),
    { numRuns: 500 },
  );
});
