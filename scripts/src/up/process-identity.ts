import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isAlive } from '@bursar/embedded';

/** A process we started: its number alone would not do, because numbers are given out again. */
export type ProcessIdentity = Readonly<{ pid: number; started: string }>;

/** When the process started, in whatever form the system gives; undefined when there is no such process. */
export const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; the start time is field 22, counted from 1, and the state is field 3.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    if (process.platform === 'linux') return undefined;
    const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return stdout.trim() || undefined;
  }
};

export const identify = (pid: number): ProcessIdentity => ({ pid, started: startOf(pid) ?? '' });

/** True while the very process that was recorded runs. */
export const stillRuns = ({ pid, started }: ProcessIdentity): boolean => isAlive(pid) && startOf(pid) === started;
