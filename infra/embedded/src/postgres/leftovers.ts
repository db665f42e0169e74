import { existsSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess, isAlive, signal, until, workingDirectoryOf } from '../processes.js';

/** The postmaster that holds this data directory now, or undefined. A pid that merely got reused does not count. */
export const runningPostmaster = (dataDir: string): number | undefined => {
  const pid = recordedPid(dataDir);
  return pid !== undefined && isAlive(pid) && isOfDirectory(pid, dataDir) ? pid : undefined;
};

/** Ends a postmaster that a killed supervisor left behind: fast shutdown, so that nothing needs recovery. */
export const stopLeftoverPostgres = async (dataDir: string): Promise<void> => {
  const pid = runningPostmaster(dataDir);
  if (pid !== undefined) await endProcess(pid, 'SIGINT', 30_000);
  await clearLeftovers(dataDir);
};

/**
 * Makes a data directory startable after a kill -9: backends that outlive their postmaster still hold the shared
 * memory and would make the next start fail, and a stale postmaster.pid whose number now belongs to somebody else
 * looks alive. Throws when a live postmaster holds the directory.
 */
export const clearLeftovers = async (dataDir: string): Promise<void> => {
  if (!existsSync(dataDir)) return;
  const postmaster = runningPostmaster(dataDir);
  if (postmaster !== undefined) throw new Error(`a PostgreSQL (pid ${postmaster}) already runs on ${dataDir}: stop it first`);
  const orphans = processesIn(dataDir);
  // SIGQUIT is PostgreSQL's immediate shutdown; a backend that does not take it holds no transaction that could commit any more.
  for (const pid of orphans) signal(pid, 'SIGQUIT');
  if (!(await until(() => orphans.every((pid) => !isAlive(pid)), 2_000))) {
    for (const pid of orphans) signal(pid, 'SIGKILL');
    await until(() => orphans.every((pid) => !isAlive(pid)), 5_000);
  }
  rmSync(join(dataDir, 'postmaster.pid'), { force: true });
};

const recordedPid = (dataDir: string): number | undefined => {
  try {
    const pid = Number.parseInt(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
};

/** Every PostgreSQL process works inside its data directory. Without /proc (macOS) the recorded pid is believed. */
const isOfDirectory = (pid: number, dataDir: string): boolean => {
  const directory = workingDirectoryOf(pid);
  return directory === undefined ? process.platform !== 'linux' : directory === realpathSync(dataDir);
};

const processesIn = (dataDir: string): readonly number[] => {
  if (process.platform !== 'linux') return [];
  const directory = realpathSync(dataDir);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && workingDirectoryOf(pid) === directory && commandOf(pid).includes('postgres'));
};

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return '';
  }
};
