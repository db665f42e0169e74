import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { installedBinaries } from '../src/postgres/binaries.js';
import { findFooting, type Identity, identities } from '../src/postgres/identity.js';

const closed = mkdtempSync(join(tmpdir(), 'bursar-identity-')); // 0700
afterAll(() => rmSync(closed, { recursive: true, force: true }));

const asRoot = process.geteuid?.() === 0 ? describe : describe.skip;
const nobody: Identity = { prefix: [], owner: { uid: 65_534, gid: 65_534 }, change: true };
const impossible: Identity = { prefix: ['false'], owner: { uid: 0, gid: 0 }, change: false };

asRoot('root, for whom PostgreSQL refuses to run', () => {
  test('is shown as another user, so that closed directories stay closed and reachable', () => {
    const { identity } = findFooting(join(closed, 'mapped'), installedBinaries());
    expect(identity).toEqual(identities(join(closed, 'mapped'))[0]);
    expect([identity.change, statSync(closed).mode & 0o777, statSync(join(closed, 'mapped')).uid]).toEqual([false, 0o700, 0]);
  });

  test('changes to another user where that is not allowed; the data is that user’s then', () => {
    const open = mkdtempSync(join(tmpdir(), 'bursar-identity-open-'));
    try {
      chmodSync(open, 0o755);
      const { identity } = findFooting(join(open, 'data'), installedBinaries(), [impossible, nobody]);
      expect([identity, statSync(join(open, 'data')).uid]).toEqual([nobody, 65_534]);
    } finally {
      rmSync(open, { recursive: true, force: true });
    }
  });

  test('is told in one line when no way is left', () => {
    mkdirSync(join(closed, 'deep'));
    expect(() => findFooting(join(closed, 'deep', 'data'), installedBinaries(), [impossible, nobody])).toThrow(
      /^PostgreSQL cannot run as this user on .*: .*--data.*DATABASE_URL$/,
    );
  });
});
