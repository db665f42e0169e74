import { describe, expect, test } from '@jest/globals';
import { readPlainHead } from './plain-head.js';

const LINE = 'POST /api/v1/check HTTP/1.1';
const headOf = (...lines: readonly string[]): string => [LINE, 'Host: x', ...lines].join('\r\n');

test('a plain head is its request line and its headers, names in lower case, values without the space around them', () => {
  expect(readPlainHead(headOf('Content-Length:  5 ', 'X-Empty:', 'Connection: Keep-Alive'))).toEqual({
    method: 'POST',
    url: '/api/v1/check',
    headers: { host: 'x', 'content-length': '5', 'x-empty': '', connection: 'Keep-Alive' },
  });
});

/** Each of these is read one way by some and another way by others, or is more than one request and one answer. */
describe('node’s to read is', () => {
  test.each([
    ['no host', LINE],
    ['another version', `${LINE.slice(0, -1)}0\r\nHost: x`],
    ['an absolute address', 'POST http://x/ HTTP/1.1\r\nHost: x'],
    ['an empty line before it', `\r\n${headOf()}`],
    ['a line feed alone', headOf('A: b\nC: d')],
    ['a carriage return alone', headOf('A: b\rC: d')],
    ['a header twice', headOf('Content-Length: 1', 'content-length: 2')],
    ['a space before the colon', headOf('Content-Length : 1')],
    ['a folded line', headOf('A: b', ' c')],
    ['a tab', headOf('A:\tb')],
    ['a byte beyond ASCII', headOf('A: \xe9')],
    ['a null byte', headOf('A: \0')],
    ['a line without a name', headOf(': b')],
    ['a line without a colon', headOf('b')],
    ['chunks', headOf('Transfer-Encoding: chunked')],
    ['a wait for 100', headOf('Expect: 100-continue')],
    ['an upgrade', headOf('Upgrade: h2c')],
    ['a last request', headOf('Connection: close')],
    ['a header that names headers', headOf('Connection: keep-alive, x-hop')],
  ])('%s', (_what, text) => expect(readPlainHead(text)).toBeNull());
});
