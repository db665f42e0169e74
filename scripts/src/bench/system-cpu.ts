import { cpuMicros } from './cpu.ts';
import type { RunningSystem } from './system.ts';

/** CPU microseconds that each of a system's processes has used so far; replicas of one name together. */
export type SystemCpu = ReadonlyMap<string, number>;

export const cpuOf = ({ services, infrastructure }: Pick<RunningSystem, 'services' | 'infrastructure'>): SystemCpu => {
  const total = new Map<string, number>();
  for (const { name, pid } of [...services, ...infrastructure]) total.set(name, (total.get(name) ?? 0) + cpuMicros(pid));
  return total;
};

/** What each has used between the two, in microseconds. */
export const usedBetween = (before: SystemCpu, after: SystemCpu): readonly Readonly<{ name: string; micros: number }>[] =>
  [...after].map(([name, used]) => ({ name, micros: used - (before.get(name) ?? 0) }));
