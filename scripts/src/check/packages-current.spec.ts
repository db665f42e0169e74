import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';

const PROGRAM = resolve(import.meta.dirname, '../../lib/packages-current.mjs');
const root = mkdtempSync(join(tmpdir(), 'bursar-packages-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const a = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } };
const b = { 'node_modules/b': { version: '1.0.0', integrity: 'sha512-b' } };

/** Whether node_modules passes for what the lock asks for. */
const isCurrent = (lock: object | undefined, installed: object | undefined): boolean => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  if (lock) writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: lock }));
  if (installed) writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
  return spawnSync(process.execPath, [PROGRAM, root]).status === 0;
};

describe('npm ci is run unless what is installed is what the lock asks for', () => {
  test.each([
    ['the same', { '': {}, ...a, ...b }, { ...a, ...b }, true],
    ['one more than asked for', a, { ...a, ...b }, true],
    ['nothing installed', a, undefined, false],
    ['a package missing', { ...a, ...b }, a, false],
    ['another version', { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-c' } }, a, false],
    ['other bytes of the same version', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-c' } }, a, false],
    ['another platform’s package missing', { ...a, 'node_modules/mac': { version: '1.0.0', optional: true } }, a, true],
    ['a new workspace', { ...a, 'node_modules/@bursar/new': { resolved: 'infra/new', link: true } }, a, false],
    ['no lock at all', undefined, a, false],
  ])('%s', (_name, lock, installed, current) => expect(isCurrent(lock, installed)).toBe(current));
});
