import { expect, test } from '@jest/globals';
import { answerText, judgeHeaders } from './plain-answer.js';

test.each(['a\r\nset-cookie: b=c', 'a\nb', 'a\0', '\u{1F600}'])(
  'a header that could begin another, or is none, is not sent: %j',
  (value) => {
    expect(() => judgeHeaders({ 'content-type': 'text/plain', 'bursar-budget': value })).toThrow('bursar-budget');
  },
);

test('what node would say of the connection is said, and of the last answer that it is the last', () => {
  const said = (headers: Readonly<Record<string, string>>) =>
    answerText({ status: 201, headers, body: '{}' }, 65_000).replace(/Date: .*GMT/, 'Date: now');
  expect(said({ a: 'b' })).toBe('HTTP/1.1 201 Created\r\na: b\r\nDate: now\r\nConnection: keep-alive\r\nKeep-Alive: timeout=65\r\n\r\n{}');
  expect(said({ connection: 'close' })).toBe('HTTP/1.1 201 Created\r\nconnection: close\r\nDate: now\r\n\r\n{}');
});
