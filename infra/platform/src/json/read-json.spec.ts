import { InexactNumber } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../http/problem.js';
import { readJson } from './read-json.js';

const codeFor = (body: Buffer): string | null => {
  try {
    readJson(body);
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
};
const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** RELIABILITY §4.1 and IN-C6. */
const REFUSED: readonly (readonly [id: string, body: Buffer, code: string])[] = [
  ['IN-A1 empty', Buffer.alloc(0), 'empty_body'],
  ['IN-A2 white space alone', utf8('  \n'), 'bad_json'],
  ['IN-A2 truncated', utf8('{"a":'), 'bad_json'],
  ['IN-A2 truncated in a string', utf8('{"a":"b'), 'bad_json'],
  ['IN-A2 ends in a backslash', utf8('{"a":"b\\'), 'bad_json'],
  ['IN-A2 trailing garbage', utf8('{} x'), 'bad_json'],
  ['IN-A2 two documents', utf8('{}{}'), 'bad_json'],
  ['IN-A3 byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), utf8('{}')]), 'bad_encoding'],
  ['IN-A4 invalid UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'bad_encoding'],
  ['IN-A4 overlong slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'bad_encoding'],
  ['IN-A4 encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'bad_encoding'],
  ['IN-A4 lone high surrogate', utf8('"\\ud800"'), 'bad_encoding'],
  ['IN-A4 lone low surrogate in a key', utf8('{"\\udc00":1}'), 'bad_encoding'],
  ['IN-A4 surrogates the wrong way round', utf8('["\\udc00\\ud800"]'), 'bad_encoding'],
  ['IN-A5 comment', utf8('{/* */}'), 'bad_json'],
  ['IN-A5 NaN', utf8('[NaN]'), 'bad_json'],
  ['IN-A5 Infinity', utf8('[-Infinity]'), 'bad_json'],
  ['IN-A5 single quotes', utf8("{'a':1}"), 'bad_json'],
  ['IN-A5 hexadecimal', utf8('[0x10]'), 'bad_json'],
  ['IN-A5 leading plus', utf8('[+1]'), 'bad_json'],
  ['IN-A5 leading zero', utf8('[01]'), 'bad_json'],
  ['IN-A5 trailing comma', utf8('[1,]'), 'bad_json'],
  ['IN-A7 17 deep', utf8(nested(17)), 'too_deep'],
  ['IN-A7 10,000 deep', utf8(nested(10_000)), 'too_deep'],
  ['IN-A7 10,000 objects deep, never closed', utf8('{"a":'.repeat(10_000)), 'too_deep'],
  ['IN-C6 __proto__', utf8('{"__proto__":{"isAdmin":true}}'), 'forbidden_key'],
  ['IN-C6 __proto__ inside', utf8('{"a":[{"__proto__":1}]}'), 'forbidden_key'],
  ['IN-C6 __proto__ by escape', utf8('{"\\u005f_proto__":{"isAdmin":true}}'), 'forbidden_key'],
  ['IN-C6 constructor.prototype', utf8('{"constructor":{"prototype":{"isAdmin":true}}}'), 'forbidden_key'],
];

describe('bodies that are refused', () => {
  test.each(REFUSED)('%s', (_id, body, code) => expect(codeFor(body)).toBe(code));

  test('IN-C6 nothing reached a prototype', () => {
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
  });

  test('IN-A7 is refused by reading on, not by descending: a body 200 times as deep is refused too, without a stack to overflow', () => {
    // Time is not asserted (the machine is shared); what a descent could not survive is.
    expect(codeFor(utf8('{"a":'.repeat(2_000_000)))).toBe('too_deep');
  });

  test('a refusal quotes nothing of the body', () => {
    try {
      readJson(utf8('{"secret-canary": oops}'));
      throw new Error('was read');
    } catch (error) {
      expect((error as Error).message).not.toContain('canary');
    }
  });
});

describe('bodies that are read', () => {
  test.each([
    ['IN-A6 the last of equal keys wins', '{"amount":"1","amount":"9"}', { amount: '9' }],
    ['IN-A7 16 deep', nested(16), JSON.parse(nested(16))],
    ['brackets in strings are no depth', JSON.stringify(['['.repeat(50), '{"'.repeat(50)]), ['['.repeat(50), '{"'.repeat(50)]],
    ['IN-C5 constructor as a plain value', '{"id":"constructor","constructor":"x"}', { id: 'constructor', constructor: 'x' }],
    ['a pair of surrogates', '"\\ud83d\\ude00"', '😀'],
    ['numbers a double keeps', '[0,0.1,-1,100000000000000000000,0.000001,123456789012345]', [0, 0.1, -1, 1e20, 0.000001, 123456789012345]],
  ])('%s', (_id, text, value) => expect(readJson(utf8(text))).toEqual(value));

  test.each(['1e400', '1e-400', '1e5', '1E5', '-0', '-0.0', '9007199254740993', '0.12345678901234567', '1234567890123456'])(
    'IN-B the literal %s is kept as it was written',
    (literal) => {
      const read = readJson(utf8(`{"a":[1,${literal}],"b":"1e400"}`)) as { a: [unknown, InexactNumber]; b: string };
      expect(read.a[1]).toBeInstanceOf(InexactNumber);
      expect(read.a[1].source).toBe(literal);
      expect(read.a[0]).toBe(1);
      expect(read.b).toBe('1e400');
    },
  );

  test('what JSON.stringify writes is read as JSON.parse reads it, unless a number would change', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8, noUnicodeString: false }), (text) => {
        fc.pre(
          !text.includes('__proto__') && !/"constructor"/.test(text) && /^(?:[^\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/.test(text),
        );
        fc.pre(!/\\ud[89a-f]/i.test(text));
        expect(JSON.stringify(readJson(utf8(text)))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 300 },
    );
  });
});
