import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { findNatsServer } from './find-nats-server.js';
import { isRecentEnough } from './version.js';

const root = mkdtempSync(join(tmpdir(), 'bursar-find-nats-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A program that only knows its version. */
const fake = (path: string, version: string): string => {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  chmodSync(path, 0o755);
  return path;
};

describe('finding a nats-server', () => {
  let home: string;
  let binDirectory: string;
  const never = [['package manager', async () => Promise.reject(new Error('must not be asked'))]] as const;
  beforeEach(() => {
    home = mkdtempSync(join(root, 'case-'));
    binDirectory = join(home, 'bin');
  });

  test('one on PATH is used before the one in .bursar/bin', async () => {
    const onPath = fake(join(home, 'path', 'nats-server'), '2.12.0');
    fake(join(binDirectory, 'nats-server'), '2.15.1');
    expect(await findNatsServer(undefined, { environment: { PATH: `/nowhere:${join(home, 'path')}` }, binDirectory, sources: never })).toBe(
      onPath,
    );
  });

  test('one on PATH that is too old is passed over', async () => {
    fake(join(home, 'path', 'nats-server'), '2.9.10');
    const kept = fake(join(binDirectory, 'nats-server'), '2.15.1');
    expect(await findNatsServer(undefined, { environment: { PATH: join(home, 'path') }, binDirectory, sources: never })).toBe(kept);
  });

  test('what is fetched is kept for the next time', async () => {
    const search = { environment: { PATH: '' }, binDirectory };
    const kept = await findNatsServer(undefined, { ...search, sources: [['a source', async (to) => fake(join(to, 'fresh'), '2.12.7')]] });
    expect(await findNatsServer(undefined, { ...search, sources: never })).toBe(kept);
  });

  test('a source that fails or brings an old one gives way to the next; nothing at all is one line that says what to do', async () => {
    const sources = [
      ['package manager', async () => Promise.reject(new Error('no network\nmore'))],
      ['pinned release', async (to: string) => fake(join(to, 'old'), '2.10.27')],
    ] as const;
    const found = findNatsServer(undefined, { environment: { PATH: '' }, binDirectory, sources });
    await expect(found).rejects.toThrow(
      /^no nats-server 2\.12 or newer \(package manager: no network; pinned release: got version 2\.10\.27\): .*NATS_URL/,
    );
  });
});

test.each([
  ['2.12.0', true],
  ['2.15.1', true],
  ['3.0.0', true],
  ['2.12.5-RC.1', true],
  ['2.11.9', false],
  ['2.9.10', false],
  ['1.99.0', false],
])('version %s is recent enough: %s', (version, recent) => expect(isRecentEnough(version)).toBe(recent));
