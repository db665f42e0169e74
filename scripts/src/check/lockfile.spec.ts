import { expect, test } from '@jest/globals';
import { lockfileProblems } from './lockfile.ts';

const lock = (entry: object): string => JSON.stringify({ packages: { 'node_modules/x': entry } });

test.each([
  ['a package with integrity only', { integrity: 'sha512-a' }, 0],
  ['a workspace', { link: true, resolved: 'infra/bus' }, 0],
  ['a package that names its registry', { integrity: 'sha512-a', resolved: 'https://registry.invalid/x.tgz' }, 1],
  ['a package without integrity', {}, 1],
])('%s', (_name, entry, problems) => expect(lockfileProblems(lock(entry))).toHaveLength(problems));
