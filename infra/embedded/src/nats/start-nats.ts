import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort, isPortFree } from '../ports.js';
import { type Exit, endProcess, lastProblem, launch, type RunningServer, until } from '../processes.js';
import { REPOSITORY_ROOT } from '../repository.js';
import { findNatsServer } from './find-nats-server.js';
import { shareOfCores } from './share-of-cores.js';

export type NatsCredentials = Readonly<{ user: string; password: string }>;

export type NatsOptions = Readonly<{
  /** JetStream's files; made at the first start. */
  dataDir: string;
  /** Picked free when absent. */
  port?: number;
  /** Default: generated once and kept in `<dataDir>.credentials.json` (0600). */
  credentials?: NatsCredentials;
  /** Default: `<dataDir>.log` beside the data directory. */
  logFile?: string;
  /** Default: found by `findNatsServer`. */
  binary?: string;
  /** For tests: the server ends when this process dies, however it dies (Linux). */
  dieWithParent?: boolean;
  /** Told the pid as soon as there is one. */
  spawned?: (pid: number) => void;
}>;

const CONFIG = join(REPOSITORY_ROOT, 'infra', 'config', 'nats.conf');
const ATTEMPTS = 4;
const READY_TIMEOUT_MS = 20_000;

/**
 * Starts a real nats-server (≥ 2.12) on 127.0.0.1 with JetStream in `dataDir`; the URL carries the credentials it asks for.
 * Resolves when it takes connections. Throws one line that says what is wrong.
 */
export const startNats = async (options: NatsOptions): Promise<RunningServer> => {
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const binary = options.binary ?? (await findNatsServer());
  const credentials = options.credentials ?? keptCredentials(dataDir);
  // A port that was picked here may be taken by another process before nats-server binds it: then pick again.
  for (let attempt = options.port === undefined ? 1 : ATTEMPTS; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    try {
      return await run(options, { dataDir, binary, credentials, port });
    } catch (error) {
      if (attempt >= ATTEMPTS || (await isPortFree(port))) throw error;
    }
  }
};

type Settled = Readonly<{ dataDir: string; binary: string; credentials: NatsCredentials; port: number }>;

const run = async (options: NatsOptions, { dataDir, binary, credentials, port }: Settled): Promise<RunningServer> => {
  // Another NATS server there would answer in place of ours.
  if (!(await isPortFree(port))) throw new Error(`nats-server cannot listen on port ${port}: it is taken`);
  const logFile = options.logFile ?? `${dataDir}.log`;
  const { pid, exited } = await launch({
    command: binary,
    args: ['--config', CONFIG],
    logFile,
    cwd: dataDir,
    env: {
      ...process.env,
      GOMAXPROCS: shareOfCores(process.env, availableParallelism()),
      BURSAR_NATS_HOST: quoted('127.0.0.1'),
      BURSAR_NATS_PORT: String(port),
      BURSAR_NATS_STORE: quoted(dataDir),
      BURSAR_NATS_USER: quoted(credentials.user),
      BURSAR_NATS_PASSWORD: quoted(credentials.password),
    },
    dieWithParent: options.dieWithParent === true ? 'SIGTERM' : undefined,
  });
  options.spawned?.(pid);
  let gone: Exit | undefined;
  void exited.then((exit) => {
    gone = exit;
  });
  const ready = await until(() => gone !== undefined || answers(port), READY_TIMEOUT_MS, 10);
  if (gone !== undefined) throw new Error(`nats-server did not start on port ${port}: ${lastProblem(logFile)}`);
  if (!ready) {
    await endProcess(pid, 'SIGTERM', 2_000);
    throw new Error(`nats-server is not ready after ${READY_TIMEOUT_MS / 1000} s: ${lastProblem(logFile)}`);
  }
  const url = `nats://${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@127.0.0.1:${port}`;
  return { url, port, pid, exited, stop: () => endProcess(pid, 'SIGTERM', 10_000) };
};

/** nats.conf parses the value of a variable again: without quotes a path or a password of digits would not stay text. */
const quoted = (value: string): string => JSON.stringify(value);

/** Beside the data, not in it: whoever wipes JetStream's storage must not lock out everyone who knows the URL. */
const keptCredentials = (dataDir: string): NatsCredentials => {
  const file = `${dataDir}.credentials.json`;
  if (!existsSync(file)) {
    const fresh: NatsCredentials = { user: 'bursar', password: randomBytes(24).toString('base64url') };
    writeFileSync(file, JSON.stringify(fresh), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as NatsCredentials;
};

/** A NATS server greets every connection with its INFO line. It opens the port only once JetStream is up. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(1_000, () => done(false));
    socket.once('data', (data) => done(data.toString('latin1').startsWith('INFO ')));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
  });
