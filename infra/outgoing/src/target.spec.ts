import { describe, expect, test } from '@jest/globals';
import { Outgoing } from './outgoing.js';
import { readTarget, TargetRefused } from './target.js';

const PUBLIC = { allowPrivate: false };
const PRIVATE = { allowPrivate: true };

describe('without private targets', () => {
  test.each([
    'http://example.com/',
    'file:///etc/passwd',
    'gopher://example.com/',
    'ftp://example.com/',
    'data:text/plain,x',
    'https://user@example.com/',
    'https://user:secret@example.com/',
    'https://:secret@example.com/',
    'https://example.com:22/',
    'https://example.com:25/',
    'https://example.com:6379/',
    'https://93.184.216.34/',
    'https://[2606:4700:4700::1111]/',
    'not a url',
    '/relative',
    '',
  ])('IN-G23: %s is refused', (text) => expect(() => readTarget(text, PUBLIC)).toThrow(TargetRefused));

  test.each([
    '127.1',
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '127。0。0。1',
    '１２７.0.0.1',
    '127.0.0.1.',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '169.254.169.254',
    '100.64.0.1',
    '[fd00::1]',
    '0.0.0.0',
    '0',
    'localhost',
    'localhost.',
    'LOCALHOST',
    'a.localhost',
    'metadata.google.internal',
    'METADATA.google.INTERNAL.',
    'printer.local',
    'nas.home.arpa',
    'postgres',
  ])('IN-G24: the host %s is refused when a channel is made', (host) =>
    expect(() => readTarget(`https://${host}/hook`, PUBLIC)).toThrow(TargetRefused),
  );

  test.each([
    'https://example.com/hook?x=1',
    'https://example.com:443/',
    'https://xn--bcher-kva.example/',
    'https://localhost.example.com/',
  ])('%s is allowed', (text) => expect(readTarget(text, PUBLIC).protocol).toBe('https:'));

  test.each([
    ['a private address', ['10.0.0.1']],
    ['IN-G25: a public A beside a private AAAA', ['93.184.216.34', 'fd00::1']],
    ['IN-G25: an alias of a metadata host', ['169.254.169.254']],
    ['a mapped address', ['::ffff:127.0.0.1']],
  ])('%s is refused by name', async (_, addresses) => {
    const outgoing = new Outgoing({ ...PUBLIC, resolver: async () => addresses.map((address) => ({ address, family: 4 })) });
    await expect(outgoing.judge('https://example.com/')).rejects.toThrow(TargetRefused);
    expect(await outgoing.post({ url: 'https://example.com/', headers: {}, body: '{}' })).toMatchObject({ kind: 'refused' });
  });

  test('a name without an address may have one later', async () => {
    const outgoing = new Outgoing({ ...PUBLIC, resolver: () => Promise.reject(new Error('ENOTFOUND')) });
    await outgoing.judge('https://example.com/');
    expect(await outgoing.post({ url: 'https://example.com/', headers: {}, body: '{}' })).toEqual({ kind: 'no_answer' });
  });
});

describe('with private targets', () => {
  test.each(['http://127.0.0.1:8080/hook', 'https://localhost:8443/', 'http://[::1]/', 'http://receiver:9000/'])('%s is allowed', (text) =>
    expect(readTarget(text, PRIVATE).href).toContain('//'),
  );
  test.each(['file:///etc/passwd', 'gopher://127.0.0.1/', 'http://user@127.0.0.1/'])('IN-G23: %s is refused all the same', (text) =>
    expect(() => readTarget(text, PRIVATE)).toThrow(TargetRefused),
  );
});
