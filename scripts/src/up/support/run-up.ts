import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { type RunFile, readState } from '../files.ts';

const SCRIPTS = resolve(import.meta.dirname, '../../..');

export type Outcome = Readonly<{ code: number | null; out: string; err: string }>;

/** The environment without what a test run adds to it. */
export const cleanEnvironment = (): NodeJS.ProcessEnv => {
  const { NODE_OPTIONS, DATABASE_URL, NATS_URL, EVENT_STORE_URL, BURSAR_TEST_POSTGRES_URL, ...rest } = process.env;
  return rest;
};

/** Runs the command to its end, as a shell would: over when it exited and every descriptor it was given is closed. */
export const runCommand = (
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  extraDescriptors = 0,
): Promise<Outcome> =>
  new Promise((done, fail) => {
    const pipes = Array.from({ length: extraDescriptors }, () => 'pipe' as const);
    const child = spawn(command, [...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe', ...pipes] });
    const text = { out: '', err: '' };
    child.stdout?.on('data', (data) => {
      text.out += data;
    });
    child.stderr?.on('data', (data) => {
      text.err += data;
    });
    child.once('error', fail);
    child.once('close', (code) => done({ code, ...text }));
  });

/** `scripts/up` after its bootstrap: nothing is installed or built. */
export const up = (args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Outcome> =>
  runCommand(process.execPath, [join(SCRIPTS, 'src', 'up.ts'), ...args], environment);

/**
 * The same through the part of `scripts/up` that deals with descriptors, called with one more open: a pipe at a number far
 * from the others (as `flock` users choose), which Node by itself would hand on.
 */
export const upWithDescriptor = (args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Outcome> => {
  const script = `exec 200>&3 3>&-; source ${join(SCRIPTS, 'lib', 'close-descriptors.sh')}; exec "$@"`;
  return runCommand('bash', ['-c', script, 'bash', process.execPath, join(SCRIPTS, 'src', 'up.ts'), ...args], environment, 1);
};

export const readRun = (dataDir: string): RunFile => {
  const run = readState(dataDir, 'run');
  if (run === undefined) throw new Error(`no run.json in ${dataDir}`);
  return run;
};

/** The process of that name as run.json has it now. */
export const pidOf = (dataDir: string, name: string): number => {
  const run = readRun(dataDir);
  const found = [...run.services, ...run.infrastructure].find((process) => process.name === name);
  if (found === undefined) throw new Error(`no ${name} in run.json`);
  return found.pid;
};
