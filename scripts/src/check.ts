import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cruise, verdict } from './check/import-rules.ts';
import { lockfileProblems } from './check/lockfile.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Text that says what is wrong; empty when all is well. */
type Check = Readonly<{ name: string; run: () => string }>;

const tool = (command: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, [...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '0' },
  });
  return status === 0 ? '' : `${stdout ?? ''}${stderr ?? ''}`.trim() || `${command} ended with ${status}`;
};

const tsc = (...args: readonly string[]): string =>
  tool(process.execPath, 'node_modules/typescript7/bin/tsc', ...args, '--pretty', 'false');

const workspaces = (): readonly string[] =>
  [
    'contracts',
    ...['infra', 'services', 'clients'].flatMap((parent) =>
      existsSync(join(ROOT, parent)) ? readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`) : [],
    ),
  ].filter((path) => existsSync(join(ROOT, path, 'tsconfig.json')));

const importRules = (): string => {
  const parts = ['contracts', 'infra', 'services', 'scripts', 'clients'].filter((path) => existsSync(join(ROOT, path)));
  return verdict(cruise(ROOT, parts)).join('\n');
};

const generated = (): string => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'contracts', 'package.json'), 'utf8')) as { scripts?: Record<string, string> };
  return scripts?.generate === undefined ? '' : tool('npm', 'run', '--silent', '-w', 'contracts', 'generate', '--', '--check');
};

const shell = (): string => {
  const files = readdirSync(join(ROOT, 'scripts'), { withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.includes('.'));
  const paths = [...files.map(({ name }) => `scripts/${name}`), 'scripts/lib/bootstrap.sh', '.ci/run'];
  return paths.map((path) => tool('bash', '-n', path)).join('');
};

const CHECKS: readonly Check[] = [
  // The compiler itself, not turbo: its cache leaves specs out of account, and they have types too.
  { name: 'types of the packages', run: () => tsc('-b', ...workspaces()) },
  { name: 'types of the integration tests', run: () => tsc('-p', 'tsconfig.test.json') },
  { name: 'types of the scripts', run: () => tsc('-p', 'scripts') },
  { name: 'format and lint (biome)', run: () => tool('biome', 'check', '--error-on-warnings', '--diagnostic-level=warn') },
  { name: 'type-aware lint (oxlint)', run: () => tool('oxlint', '--type-aware', '--deny-warnings') },
  { name: 'import rules (dependency-cruiser)', run: importRules },
  { name: 'dead code (knip)', run: () => tool('knip', '--no-progress') },
  { name: 'generated contracts are fresh', run: generated },
  { name: 'package-lock.json', run: () => lockfileProblems(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).join('\n') },
  { name: 'shell syntax', run: shell },
];

const HELP = `usage: ./scripts/check [word ...]

Runs the checks whose names hold one of the words, without words all:
${CHECKS.map(({ name }) => `  ${name}`).join('\n')}`;

/** Runs every check whose name holds one of the words given (all without words); answers how many failed. */
const main = (words: readonly string[]): number => {
  if (words.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const unknown = words.filter((word) => !CHECKS.some(({ name }) => name.includes(word)));
  if (unknown.length > 0) {
    console.error(`bursar: no check has ${unknown.join(' or ')} in its name\n${HELP}`);
    return unknown.length;
  }
  let failed = 0;
  for (const { name, run } of CHECKS.filter((check) => words.length === 0 || words.some((word) => check.name.includes(word)))) {
    const started = performance.now();
    const problem = run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${problem === '' ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
    if (problem === '') continue;
    failed += 1;
    console.log(problem.replaceAll(/^/gm, '       '));
  }
  return failed;
};

process.exitCode = main(process.argv.slice(2)) === 0 ? 0 : 1;
