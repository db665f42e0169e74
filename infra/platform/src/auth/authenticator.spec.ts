import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AdminKey } from './authenticator.js';

const key = fc.oneof(fc.string({ minLength: 1, maxLength: 40 }), fc.string({ unit: 'grapheme', minLength: 500, maxLength: 600 }));

test('a key is itself and nothing else, however long', () => {
  const near = fc.constantFrom(
    (text: string) => text.slice(0, -1),
    (text: string) => `${text}x`,
    (text: string) => `${text}\u0000`,
    () => '',
  );
  fc.assert(
    fc.property(
      key,
      fc.array(
        fc.oneof(
          near,
          fc.string().map((other) => () => other),
        ),
        { minLength: 1 },
      ),
      (text, others) => {
        const admin = new AdminKey(text);
        for (const other of others.map((change) => change(text))) {
          expect(admin.authenticate(other) !== null).toBe(other === text);
          expect(admin.authenticate(text)).toMatchObject({ keyId: 'admin' });
        }
      },
    ),
  );
});
