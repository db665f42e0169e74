import { expect, test } from '@jest/globals';
import { SecretBox, SecretUnreadableError } from './secret-box.js';

const ADMIN = 'an admin key of some length';
const OLD = 'a'.repeat(64);
const NEW = 'b'.repeat(64);
const PLACE = ['channel', 'acme', 'c-1'];

test('what is sealed opens at its place, and never looks the same twice', () => {
  const box = SecretBox.of(OLD, ADMIN);
  const sealed = box.seal('whsec_é', PLACE);
  expect(box.open(sealed, PLACE)).toBe('whsec_é');
  expect(box.seal('whsec_é', PLACE)).not.toBe(sealed);
  expect(sealed).not.toContain('whsec');
});

test('it opens nowhere else, not altered, and not without its key', () => {
  const box = SecretBox.of(OLD, ADMIN);
  const sealed = box.seal('secret', PLACE);
  expect(() => box.open(sealed, ['channel', 'other', 'c-1'])).toThrow(SecretUnreadableError);
  const [version, id, text = ''] = sealed.split('.');
  const altered = Buffer.from(text, 'base64url');
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  expect(() => box.open([version, id, altered.toString('base64url')].join('.'), PLACE)).toThrow(SecretUnreadableError);
  expect(() => SecretBox.of(NEW, ADMIN).open(sealed, PLACE)).toThrow(SecretUnreadableError);
  for (const text of ['', 'secret', 's1', 's1.x.y', `s1.${id}.AAAA`]) expect(() => box.open(text, PLACE)).toThrow(SecretUnreadableError);
});

test('a new key in front seals, the old one behind it still opens', () => {
  const sealed = SecretBox.of(OLD, ADMIN).seal('secret', PLACE);
  const both = SecretBox.of(`${NEW},${OLD}`, ADMIN);
  expect(both.open(sealed, PLACE)).toBe('secret');
  expect(SecretBox.of(NEW, ADMIN).open(both.seal('secret', PLACE), PLACE)).toBe('secret');
});

test('without a key of its own it derives one from the admin key, the same in every process', () => {
  expect(SecretBox.of(undefined, ADMIN).open(SecretBox.of(undefined, ADMIN).seal('secret', PLACE), PLACE)).toBe('secret');
});
