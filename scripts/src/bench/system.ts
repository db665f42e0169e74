import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@bursar/embedded';
import { z } from 'zod';
import { inTemporaryDirectory, whileOpen } from './cleanup.ts';

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
export type RunningSystem = Readonly<z.infer<typeof Run>>;

type SystemOptions = Readonly<{
  /** As `scripts/up --replicas` takes it. */
  replicas?: string;
  environment?: NodeJS.ProcessEnv;
}>;

const root = join(import.meta.dirname, '../../..');

/** The whole of Bursar as `scripts/up` starts it, in a directory of its own, durability on, for the time of `work`. */
export const withSystem = <T>(options: SystemOptions, work: (system: RunningSystem) => Promise<T>): Promise<T> =>
  inTemporaryDirectory((dataDir) =>
    whileOpen(
      () => up(['--down', '--data', dataDir], {}),
      async () => {
        const replicas = options.replicas === undefined ? [] : ['--replicas', options.replicas];
        await up(['--detach', '--data', dataDir, '--port', String(await freePort()), ...replicas], options.environment ?? {});
        return work(Run.parse(JSON.parse(await readFile(join(dataDir, 'run.json'), 'utf8'))));
      },
    ),
  );

const up = (args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = spawn(join(root, 'scripts/up'), args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`scripts/up ${args.join(' ')}: exit ${code} ${errors.trim()}`))));
  });
