import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { endProcess } from '@bursar/embedded';
import { announcement } from './up/announce.ts';
import { DETACHED_VARIABLE, type DetachedMessage, startDetached } from './up/detach.ts';
import { claim, removeState } from './up/files.ts';
import { runningSupervisor, stopLeftovers } from './up/leftovers.ts';
import { createLog } from './up/log.ts';
import { HELP, parseUpOptions, type UpOptions, UserError } from './up/options.ts';
import { identify, stillRuns } from './up/process-identity.ts';
import { showStatus } from './up/status.ts';
import { Supervisor } from './up/supervisor.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** A new PostgreSQL cluster with its write-ahead log, NATS's files and some room to work. */
const LEAST_FREE_BYTES = 512_000_000;

const DETACHED = process.env[DETACHED_VARIABLE] !== undefined;
/** Whether the announcement is out: from then on a detached start lives on its own. */
let told = false;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

const main = async (args: readonly string[]): Promise<number> => {
  const options = parseUpOptions(args, join(ROOT, '.bursar'), process.cwd());
  switch (options.action) {
    case 'help':
      print(HELP);
      return 0;
    case 'status':
      return showStatus(options.dataDir, print);
    case 'down':
      return down(options.dataDir);
    case 'run':
      return options.detach ? detach(options, args) : run(options);
  }
};

const down = async (dataDir: string): Promise<number> => {
  const supervisor = runningSupervisor(dataDir);
  if (supervisor !== undefined) await endProcess(supervisor, 'SIGTERM', 60_000);
  const left = await stopLeftovers(dataDir);
  print(supervisor === undefined && left === 0 ? `nothing ran on ${dataDir}` : `stopped what ran on ${dataDir}; its data stays`);
  return 0;
};

const detach = async (options: UpOptions, args: readonly string[]): Promise<number> => {
  prepare(options.dataDir);
  const code = await startDetached(import.meta.filename, args, options.dataDir, print, complain);
  return code === 0 && options.demo ? demo(options.dataDir) : code;
};

/** Runs until a signal asks for the end. */
const run = async (options: UpOptions): Promise<number> => {
  const { dataDir } = options;
  prepare(dataDir);
  if (!claim(dataDir, identify(process.pid), stillRuns)) throw alreadyRuns(dataDir);
  try {
    return await runClaimed(options);
  } finally {
    removeState(dataDir, 'lock');
  }
};

const runClaimed = async (options: UpOptions): Promise<number> => {
  const { dataDir } = options;
  const first = !existsSync(join(dataDir, 'admin-key'));
  const record = createLog(dataDir);
  const log = (line: string): void => {
    record(line);
    tell('line', line);
  };
  if ((await stopLeftovers(dataDir)) > 0) log('stopped what an earlier start had left behind');
  const supervisor = new Supervisor(options, { root: process.env.BURSAR_UP_ROOT ?? ROOT, environment: process.env, say: log });
  try {
    const asked = askedToStop();
    const started = await Promise.race([supervisor.start(), asked]);
    if (started !== undefined) {
      told = true;
      record(`ready after ${(sinceBeginningMs() / 1000).toFixed(1)} s`);
      tell('ready', announcement(started, dataDir, sinceBeginningMs(), first));
      if (options.demo && !DETACHED) await Promise.race([demo(dataDir), asked]);
      await asked;
    }
    log('stopping');
    return 0;
  } finally {
    await supervisor.stop();
  }
};

/** Checks what can be checked before anything starts. Throws {@link UserError}. */
const prepare = (dataDir: string): void => {
  const running = runningSupervisor(dataDir);
  if (running !== undefined)
    throw new UserError(`already runs on ${dataDir} (pid ${running}): scripts/up --down stops it, --data DIR starts another`);
  try {
    mkdirSync(dataDir, { recursive: true });
  } catch (error) {
    throw new UserError(`cannot make ${dataDir} (${(error as NodeJS.ErrnoException).code}): choose another --data directory`);
  }
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  if (free < LEAST_FREE_BYTES)
    throw new UserError(
      `only ${Math.trunc(free / 1e6)} MB free on ${dataDir}, ${LEAST_FREE_BYTES / 1e6} MB are needed: free some space or choose another --data directory`,
    );
};

const alreadyRuns = (dataDir: string): UserError =>
  new UserError(`already runs on ${dataDir} (pid ${runningSupervisor(dataDir)}): scripts/up --down stops it, --data DIR starts another`);

/** In the foreground a person reads along; in the background the starting command does, until it leaves. */
const tell = (kind: DetachedMessage['kind'], text: string): void => {
  if (!DETACHED) print(text);
  else if (process.connected) process.send?.({ kind, text } satisfies DetachedMessage);
};

/** Resolves when a signal asks for the end, or when the command that waits for a detached start goes away before it is told. */
const askedToStop = (): Promise<undefined> =>
  new Promise((done) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => done(undefined));
    process.once('disconnect', () => {
      if (!told) done(undefined);
    });
  });

/** Answers the exit code of the replay. Not spawnSync: in the foreground this process supervises meanwhile. */
const demo = (dataDir: string): Promise<number> =>
  new Promise((done) => {
    const child = spawn(join(ROOT, 'scripts', 'replay-trace'), ['--data', dataDir, '--demo'], { stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', (error) => {
      complain(`bursar: the demo could not be started: ${error.message}`);
      done(1);
    });
    child.once('exit', (code) => done(code ?? 1));
  });

const sinceBeginningMs = (): number => {
  const started = Number(process.env.BURSAR_UP_STARTED ?? Number.NaN) * 1000;
  return Number.isFinite(started) ? Date.now() - started : performance.now();
};

process.stdout.on('error', () => {}); // a reader that went away must not end what runs
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const line = `bursar: ${(error as Error).message.replaceAll(/\s*\n\s*/g, ' ')}`;
  if (DETACHED) tell('failed', line);
  else complain(line);
  process.exitCode = 1;
}
if (process.connected) process.disconnect();
