import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { globMatches } from './glob.js';

test.each([
  ['gpt-4*', 'gpt-4', true],
  ['gpt-4*', 'gpt-4o-mini', true],
  ['gpt-4*', 'gpt-3.5', false],
  ['gpt-4', 'gpt-4o', false],
  ['*', '', true],
  ['*-mini', 'gpt-4o-mini', true],
  ['a*a', 'a', false],
  ['a*b*c', 'a-b-b-c', true],
  ['*b*b*', 'b', false],
  ['*ab*b', 'ab', false],
  ['gpt.4*', 'gpt-4o', false],
  ['GPT-4*', 'gpt-4o', false],
])('%s matches %s: %s', (pattern, text, expected) => {
  expect(globMatches(pattern, text)).toBe(expected);
});

test('a pattern matches what the textbook matcher matches', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
  fc.assert(
    fc.property(pattern, text, (glob, value) => globMatches(glob, value) === textbook(glob, value)),
    { numRuns: 500 },
  );
});

const textbook = (pattern: string, text: string): boolean => {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') return textbook(pattern.slice(1), text) || (text !== '' && textbook(pattern, text.slice(1)));
  return pattern[0] === text[0] && textbook(pattern.slice(1), text.slice(1));
};
