import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRecentEnough, versionOf } from './version.js';

/** Left for what is tried after the package manager. */
const RESERVE_MS = 10_000;

/** Fetches nats-server by the system's package manager into `directory`; answers the file's path. Throws when it cannot by `deadline` (of performance.now()). */
export const fromPackageManager = async (directory: string, note: (line: string) => void, deadline: number): Promise<string> => {
  if (has('apt-get') && has('dpkg')) return fromApt(directory, note, deadline - RESERVE_MS);
  if (has('brew')) return fromBrew(directory, note, deadline);
  throw new Error('neither apt nor brew is here');
};

/**
 * Downloads the .deb of a newer suite with apt (which verifies its signature) and unpacks it: nothing is installed and the
 * system's apt is untouched. The archive's address is the one this machine's own apt is configured with.
 */
const fromApt = (directory: string, note: (line: string) => void, deadline: number): string => {
  const work = mkdtempSync(join(tmpdir(), 'bursar-apt-'));
  try {
    const problems: string[] = [];
    for (const { uri, suite, component, keyring } of archives(deadline)) {
      note(`fetching nats-server from ${suite} with apt`);
      try {
        const file = unpack(work, deadline, `deb [signed-by=${keyring}] ${uri} ${suite} ${component}`);
        const version = versionOf(file);
        if (version === undefined || !isRecentEnough(version)) throw new Error(`has ${version ?? 'none'}`);
        const target = join(directory, `nats-server.${process.pid}`);
        copyFileSync(file, target);
        chmodSync(target, 0o755);
        return target;
      } catch (error) {
        problems.push(`${suite}: ${(error as Error).message.split('\n')[0]}`);
      }
    }
    throw new Error(problems.join(', ') || 'apt knows no archive');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

type Archive = Readonly<{ uri: string; suite: string; component: string; keyring: string }>;

const archives = (deadline: number): readonly Archive[] => {
  const targets = run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'], deadline)
    .split('\n')
    .concat(configuredUris())
    .map((uri) => uri.trim().replace(/\/+$/, ''));
  const known = [
    { path: /\/debian$/, suites: ['sid', 'forky', 'trixie'], component: 'main', keyring: '/usr/share/keyrings/debian-archive-keyring.gpg' },
    { path: /\/ubuntu(-ports)?$/, suites: ['devel'], component: 'universe', keyring: '/usr/share/keyrings/ubuntu-archive-keyring.gpg' },
  ];
  return known.flatMap(({ path, suites, component, keyring }) => {
    const uri = targets.find((target) => path.test(target));
    return uri === undefined || !existsSync(keyring) ? [] : suites.map((suite) => ({ uri, suite, component, keyring }));
  });
};

/** Where no package list was ever downloaded (bare images), apt-get indextargets is silent, but the sources name the archive. */
const configuredUris = (): readonly string[] => {
  const directory = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...(existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [])];
  return files
    .filter((file) => existsSync(file) && /\.(list|sources)$/.test(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.match(/https?:\/\/\S+/g) ?? []);
};

const unpack = (work: string, deadline: number, source: string): string => {
  rmSync(work, { recursive: true, force: true });
  for (const path of ['lists/partial', 'cache/archives/partial', 'etc', 'root']) mkdirSync(join(work, path), { recursive: true });
  const list = join(work, 'etc', 'sources.list');
  writeFileSync(list, `${source}\n`);
  const options = [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${join(work, 'lists')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    'Dir::State::status=/dev/null',
    `APT::Sandbox::User=${process.geteuid?.() === 0 ? 'root' : ''}`,
    'Acquire::Languages=none',
    'Acquire::Retries=1',
  ].flatMap((option) => ['-o', option]);
  run('apt-get', [...options, '-qq', 'update'], deadline, work);
  run('apt-get', [...options, '-qq', 'download', 'nats-server'], deadline, work);
  const deb = readdirSync(work).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw new Error('no .deb arrived');
  run('dpkg', ['-x', join(work, deb), join(work, 'root')], deadline, work);
  const binary = ['usr/sbin/nats-server', 'usr/bin/nats-server'].map((path) => join(work, 'root', path)).find((path) => existsSync(path));
  if (binary === undefined) throw new Error('the package holds no nats-server');
  return binary;
};

const fromBrew = (directory: string, note: (line: string) => void, deadline: number): string => {
  note('installing nats-server with brew');
  run('brew', ['install', 'nats-server'], deadline);
  const target = join(directory, `nats-server.${process.pid}`);
  copyFileSync(join(run('brew', ['--prefix'], deadline).trim(), 'bin', 'nats-server'), target);
  return target;
};

const has = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

const run = (command: string, args: readonly string[], deadline: number, cwd?: string): string => {
  const timeout = Math.trunc(deadline - performance.now());
  if (timeout <= 0) throw new Error('no time left');
  const { status, stdout, stderr, error } = spawnSync(command, [...args], { cwd, encoding: 'utf8', timeout });
  if (error) throw new Error(`${command}: ${error.message}`);
  if (status !== 0)
    throw new Error(`${command}: ${stderr.split('\n').find((line) => line.startsWith('E:')) ?? (stderr.trim() || `exit ${status}`)}`);
  return stdout;
};
