import { readdirSync, readFileSync } from 'node:fs';

/** CPU microseconds (user + system, reaped children included) that a process and all its descendants have used; 10 ms ticks. Linux only. */
export const cpuMicros = (pid: number): number => {
  const parents = new Map<number, number>();
  const ticks = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue;
    const stat = readStat(entry);
    if (stat === null) continue;
    // After the command in parentheses: state ppid … utime(14) stime(15) cutime(16) cstime(17), counted from 1.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    parents.set(Number(entry), Number(fields[1]));
    ticks.set(
      Number(entry),
      [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0),
    );
  }
  let total = 0;
  for (const [candidate, used] of ticks) if (isBelow(candidate, pid, parents)) total += used;
  return total * TICK_MICROS;
};

const TICK_MICROS = 10_000;

const readStat = (pid: string): string | null => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null; // it ended between the listing and this read
  }
};

const isBelow = (pid: number, root: number, parents: ReadonlyMap<number, number>): boolean => {
  for (let current: number | undefined = pid; current !== undefined && current > 1; current = parents.get(current))
    if (current === root) return true;
  return false;
};
