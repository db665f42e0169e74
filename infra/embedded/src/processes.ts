import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How a process ended; `signal` is null when it exited by itself. */
export type Exit = Readonly<{ code: number | null; signal: NodeJS.Signals | null }>;

/** A server that runs as a child of this process. `pid` is the server itself, never a wrapper. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves once the process is gone, whoever ended it. Never rejects. */
  readonly exited: Promise<Exit>;
  /** Clean shutdown; falls back to SIGKILL after `graceMs`. Resolves when the process is gone. */
  stop(): Promise<void>;
}

/** What to run; the log file takes both stdout and stderr, so that no pipe ties the child to its parent. */
export type LaunchSpec = Readonly<{
  /** A program that replaces itself with the command, so that the pid stays the command's. */
  prefix?: readonly string[];
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  logFile: string;
  uid?: number;
  gid?: number;
  /** The signal the child gets when this process dies, where `setpriv` can arrange that (Linux). */
  dieWithParent?: NodeJS.Signals;
}>;

/** A spawned child with a pid, in a process group of its own so that Ctrl-C in a terminal reaches only the parent. */
export const launch = async (spec: LaunchSpec): Promise<{ child: ChildProcess; pid: number; exited: Promise<Exit> }> => {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a', 0o600);
  try {
    // Tied last: changing user or namespace would clear the tie again.
    const [command = spec.command, ...args] = [...(spec.prefix ?? []), ...tie(spec.dieWithParent), spec.command, ...spec.args];
    const child = spawn(command, args, {
      stdio: ['ignore', log, log],
      detached: true,
      env: spec.env ?? process.env,
      cwd: spec.cwd,
      uid: spec.uid,
      gid: spec.gid,
    });
    const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    await once(child, 'spawn');
    if (spec.dieWithParent !== undefined) child.unref(); // what dies with us must not keep us alive
    if (child.pid === undefined) throw new Error(`${spec.command} started without a pid`);
    return { child, pid: child.pid, exited };
  } finally {
    closeSync(log);
  }
};

const tie = (name: NodeJS.Signals | undefined): readonly string[] =>
  name !== undefined && existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', name.slice('SIG'.length)] : [];

/**
 * True while the process exists and is not a zombie (an orphan may stay one for ever where pid 1 does not reap).
 * A killed process says it is a zombie as soon as its first thread is gone; its files and ports are free when the last one is.
 */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the state is field 3, right after the name in parentheses, and the number of threads is field 20.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] !== 'Z' || Number(fields[17]) > 1;
  } catch {
    return process.platform !== 'linux';
  }
};

/** The process's working directory, or undefined where it cannot be read (gone, another user's, or no /proc). */
export const workingDirectoryOf = (pid: number): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
};

/** Sends a signal; false when the process is already gone. */
export const signal = (pid: number, name: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
};

/** Polls until `condition` holds; false when `timeoutMs` passed first. */
export const until = async (condition: () => boolean | Promise<boolean>, timeoutMs: number, pollMs = 20): Promise<boolean> => {
  const end = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= end) return false;
    await delay(pollMs);
  }
};

/** Ends a process by `first`, then SIGKILL after `graceMs`. A stopped process is woken so that it can obey. */
export const endProcess = async (pid: number, first: NodeJS.Signals, graceMs: number): Promise<void> => {
  signal(pid, first);
  signal(pid, 'SIGCONT');
  if (await until(() => !isAlive(pid), graceMs)) return;
  signal(pid, 'SIGKILL');
  await until(() => !isAlive(pid), 5_000);
};

/** The last lines of a log that name a problem, for one-line failure messages. Empty when there is no log. */
export const lastProblem = (logFile: string): string => {
  try {
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-40);
    return (lines.findLast((line) => /FATAL|PANIC|ERROR|\[FTL\]|error:|cannot|denied|No space/.test(line)) ?? lines.at(-1) ?? '').trim();
  } catch {
    return '';
  }
};
