import { expect, test } from '@jest/globals';
import { answerText } from './plain-answer.js';

const textOf = (headers: Readonly<Record<string, string>>, more: object = {}): string =>
  answerText({ status: 201, headers: [{ a: 'b' }, headers], body: '{}', length: 2, ...more }, 65_000).replace(/Date: .*GMT/, 'Date: now');

test.each(['a\r\nset-cookie: b=c', 'a\nb', 'a\0', '\u{1F600}'])(
  'a header that could begin another, or is none, is not sent: %j',
  (value) => {
    expect(() => textOf({ 'content-type': 'text/plain', 'bursar-budget': value })).toThrow('bursar-budget');
  },
);

test('what node would say of the connection is said, and of the last answer that it is the last', () => {
  const goesOn = 'Connection: keep-alive\r\nKeep-Alive: timeout=65\r\n';
  expect(textOf({ c: 'd' })).toBe(`HTTP/1.1 201 Created\r\na: b\r\nc: d\r\ncontent-length: 2\r\nDate: now\r\n${goesOn}\r\n{}`);
  expect(textOf({ connection: 'close' })).toBe(
    'HTTP/1.1 201 Created\r\na: b\r\nconnection: close\r\ncontent-length: 2\r\nDate: now\r\n\r\n{}',
  );
  expect(textOf({}, { status: 204, body: '', length: null })).toBe(`HTTP/1.1 204 No Content\r\na: b\r\nDate: now\r\n${goesOn}\r\n`);
});
