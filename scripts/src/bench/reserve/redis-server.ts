import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@bursar/embedded';
import { Redis } from 'ioredis';
import { inTemporaryDirectory, whileOpen } from '../cleanup.ts';

type Binary = Readonly<{ file: string; libraries: string }>;
/** `always`: every write is in the append-only file, fsynced, before it is answered. `no`: nothing is durable. */
export type Durability = 'always' | 'no';

/**
 * redis-server as the system has it, else from its packages: downloaded and unpacked by apt, nothing is installed. Throws with one line that says why it
 * cannot be had.
 */
export const findRedis = (directory: string): Binary => {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0) return { file: 'redis-server', libraries: '' };
  const packages = needed();
  const work = join(directory, 'redis');
  mkdirSync(join(work, 'root'), { recursive: true });
  run('apt-get', ['-qq', 'download', ...packages], work);
  for (const name of readdirSync(work).filter((one) => one.endsWith('.deb'))) run('dpkg', ['-x', name, 'root'], work);
  const libraries = readdirSync(join(work, 'root/usr/lib'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return {
    file: join(work, 'root/usr/bin/redis-server'),
    libraries: libraries.map(({ name }) => join(work, 'root/usr/lib', name)).join(':'),
  };
};

/** What apt would install for it here. */
const needed = (): readonly string[] => {
  const plan = run('apt-get', ['-s', 'install', '--no-install-recommends', 'redis-server'], '/');
  const packages = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  if (packages.length === 0) throw new Error('apt has no redis-server here');
  return packages;
};

const run = (command: string, args: readonly string[], cwd: string): string => {
  const { status, stdout, stderr, error } = spawnSync(command, [...args], { cwd, encoding: 'utf8', timeout: 120_000 });
  if (status !== 0) throw new Error(`redis-server cannot be had: ${error?.message ?? (stderr.split('\n')[0] || `${command} failed`)}`);
  return stdout;
};

/** A redis-server of its own, empty, for the time of `work`. */
export const withRedis = <T>(binary: Binary, appendfsync: Durability, work: (port: number) => Promise<T>): Promise<T> =>
  inTemporaryDirectory(async (directory) => {
    const port = await freePort();
    const appendonly = appendfsync === 'always' ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', ...appendonly];
    const child = spawn(binary.file, args, { stdio: 'ignore', env: { ...process.env, LD_LIBRARY_PATH: binary.libraries } });
    return whileOpen(
      () => end(child),
      async () => {
        await answering(port, child);
        return work(port);
      },
    );
  });

const answering = async (port: number, child: ChildProcess): Promise<void> => {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    const client = new Redis({ port, lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    const pong = await client.connect().then(
      () => client.ping(),
      () => null,
    );
    client.disconnect();
    if (pong === 'PONG') return;
    await delay(25);
  }
  throw new Error('redis-server does not answer');
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
};
