import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { freePort, isPortFree } from '../ports.js';
import { type Exit, endProcess, lastProblem, launch, type RunningServer, until } from '../processes.js';
import { installedBinaries } from './binaries.js';
import { asIdentity, type Footing, findFooting } from './identity.js';
import { clearLeftovers } from './leftovers.js';
import { writeSettings } from './settings.js';

export type PostgresOptions = Readonly<{
  /** PGDATA; made at the first start. */
  dataDir: string;
  /** Picked free when absent. */
  port?: number;
  /** Default: `<dataDir>.log` beside the data directory. */
  logFile?: string;
  /** For tests: the server ends when this process dies, however it dies (Linux). */
  dieWithParent?: boolean;
  /** Told the pid as soon as there is one; recovery after a crash may take long before the server is ready. */
  spawned?: (pid: number) => void;
}>;

const USER = 'bursar';
const DATABASE = 'bursar';
/** Generated once with the cluster and kept inside it; the directory is 0700. */
const PASSWORD_FILE = 'bursar.password';

/**
 * Starts a real PostgreSQL 18 on 127.0.0.1 (UTF8, locale C, fsync on, password required), creating the cluster and the
 * database `bursar` at the first start. Cleans up after a kill -9 of an earlier run. Resolves when it takes connections.
 * Throws one line that says what is wrong, also when another PostgreSQL holds the directory.
 */
export const startPostgres = async (options: PostgresOptions): Promise<RunningServer> => {
  const dataDir = resolve(options.dataDir);
  const logFile = options.logFile ?? `${dataDir}.log`;
  const binaries = installedBinaries();
  await clearLeftovers(dataDir);
  const footing = findFooting(dataDir, binaries);
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await createCluster(dataDir, footing, logFile);
  const password = readFileSync(join(dataDir, PASSWORD_FILE), 'utf8').trim();

  // A port that was picked here may be taken by another process before PostgreSQL binds it: then pick again.
  for (let attempt = options.port === undefined ? 1 : ATTEMPTS; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    try {
      return await run({ dataDir, port, password, footing, logFile, options });
    } catch (error) {
      if (attempt >= ATTEMPTS || (await isPortFree(port))) throw error;
    }
  }
};

const ATTEMPTS = 4;

type Run = Readonly<{ dataDir: string; port: number; password: string; footing: Footing; logFile: string; options: PostgresOptions }>;

const run = async ({ dataDir, port, password, footing, logFile, options }: Run): Promise<RunningServer> => {
  writeSettings(dataDir, port);
  const { pid, exited } = await launch({
    ...asIdentity(footing.identity),
    command: footing.binaries.postgres,
    args: ['-D', dataDir],
    logFile,
    cwd: dataDir,
    env: serverEnvironment(),
    dieWithParent: options.dieWithParent === true ? 'SIGINT' : undefined,
  });
  options.spawned?.(pid);
  const url = `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
  try {
    await waitUntilReady(dataDir, pid, exited, logFile);
    await ensureDatabase(url);
  } catch (error) {
    await endProcess(pid, 'SIGINT', 5_000);
    throw error;
  }
  // SIGINT is "fast": open transactions roll back, clients are cut off, nothing needs recovery afterwards.
  return { url, port, pid, exited, stop: () => endProcess(pid, 'SIGINT', 20_000) };
};

const STAGING = 'cluster.new';

/** initdb into a staging directory, moved up only when whole, PG_VERSION last: a kill in the middle leaves nothing half made. */
const createCluster = async (dataDir: string, footing: Footing, logFile: string): Promise<void> => {
  const staging = join(dataDir, STAGING);
  const passwordFile = join(dataDir, PASSWORD_FILE);
  if (readdirSync(dataDir).length > 0) {
    if (!existsSync(staging)) throw new Error(`${dataDir} is not empty and holds no PostgreSQL data: choose another --data directory`);
    for (const name of readdirSync(dataDir)) rmSync(join(dataDir, name), { recursive: true, force: true });
  }
  const { identity, binaries } = footing;
  mkdirSync(staging, { mode: 0o700 });
  writeFileSync(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  for (const path of [staging, passwordFile]) if (identity.change) chownSync(path, identity.owner.uid, identity.owner.gid);

  const args = ['-D', staging, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C'];
  const { exited } = await launch({
    ...asIdentity(identity),
    command: binaries.initdb,
    args,
    logFile,
    cwd: dataDir,
    env: serverEnvironment(),
  });
  const { code } = await exited;
  if (code !== 0) throw new Error(`initdb failed in ${dataDir}: ${lastProblem(logFile)}`);

  const last = 'PG_VERSION';
  for (const name of [...readdirSync(staging).filter((entry) => entry !== last), last])
    renameSync(join(staging, name), join(dataDir, name));
  rmSync(staging, { recursive: true });
};

/** Without the caller's PG* variables (a stray PGDATA or PGOPTIONS must not steer our server) and with plain messages. */
const serverEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && !name.startsWith('LC_'))),
  LC_ALL: 'C',
});

/** The postmaster writes its state on the last line of postmaster.pid; recovery after a crash can take its time. */
const waitUntilReady = async (dataDir: string, pid: number, exited: Promise<Exit>, logFile: string): Promise<void> => {
  let gone: Exit | undefined;
  void exited.then((exit) => {
    gone = exit;
  });
  const ready = await until(() => gone !== undefined || isReady(dataDir, pid), READY_TIMEOUT_MS, 10);
  if (gone !== undefined) throw new Error(`PostgreSQL did not start on ${dataDir}: ${lastProblem(logFile)}`);
  if (!ready) throw new Error(`PostgreSQL is not ready after ${READY_TIMEOUT_MS / 1000} s on ${dataDir}: ${lastProblem(logFile)}`);
};

const READY_TIMEOUT_MS = 50_000;

const isReady = (dataDir: string, pid: number): boolean => {
  try {
    const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && (lines[7] ?? '').trim() === 'ready';
  } catch {
    return false;
  }
};

const ensureDatabase = async (url: string): Promise<void> => {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = new pg.Client({ connectionString: maintenance.href, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
};
