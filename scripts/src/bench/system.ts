import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@bursar/embedded';
import { z } from 'zod';

const Run = z.object({
  apiUrl: z.string(),
  ingestionUrl: z.string(),
  databaseUrl: z.string(),
  eventStoreUrl: z.string(),
  natsUrl: z.string(),
  adminApiKey: z.string(),
  services: z.array(z.object({ name: z.string(), pid: z.number() })),
  infrastructure: z.array(z.object({ name: z.string(), pid: z.number() })),
});
export type RunningSystem = z.infer<typeof Run> & { stop: () => Promise<void> };

const root = join(import.meta.dirname, '../../..');

/** The whole of Bursar as `scripts/up` starts it, in a directory of its own, durability on. */
export const startSystem = async (): Promise<RunningSystem> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'bursar-bench-'));
  await run(['--detach', '--data', dataDir, '--port', String(await freePort())]);
  const parsed = Run.parse(JSON.parse(await readFile(join(dataDir, 'run.json'), 'utf8')));
  const stop = async (): Promise<void> => {
    await run(['--down', '--data', dataDir]);
    await rm(dataDir, { recursive: true, force: true });
  };
  return { ...parsed, stop };
};

const run = (args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(join(root, 'scripts/up'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`scripts/up ${args.join(' ')}: exit ${code} ${errors.trim()}`))));
  });
