import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { assertChecksum } from './release.js';

const bytes = Buffer.from('an archive');
const right = createHash('sha256').update(bytes).digest('hex');

test('the pinned bytes pass', () => expect(() => assertChecksum(bytes, right)).not.toThrow());

test('one changed bit does not', () => {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(0) ^ 1, 0);
  expect(() => assertChecksum(changed, right)).toThrow('checksum');
});
