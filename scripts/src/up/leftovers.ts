import { join } from 'node:path';
import { endProcess, stopLeftoverPostgres } from '@bursar/embedded';
import { readState, removeState } from './files.ts';
import { stillRuns } from './process-identity.ts';

/** The supervisor that runs on this data directory now, or undefined. */
export const runningSupervisor = (dataDir: string): number | undefined => {
  const holder = readState(dataDir, 'lock');
  return holder !== undefined && stillRuns(holder) ? holder.pid : undefined;
};

/**
 * Ends what a killed supervisor left behind, services first, then NATS, then PostgreSQL; answers how many processes that were.
 * Only processes whose number and start time are as recorded are touched.
 */
export const stopLeftovers = async (dataDir: string): Promise<number> => {
  const children = (readState(dataDir, 'children') ?? []).filter(stillRuns);
  const of = (...names: string[]) => children.filter((child) => names.includes(child.name));
  const services = children.filter((child) => !of('postgres', 'nats').includes(child));
  await Promise.all(services.map((child) => endProcess(child.pid, 'SIGTERM', 10_000)));
  await Promise.all(of('nats').map((child) => endProcess(child.pid, 'SIGTERM', 10_000)));
  await stopLeftoverPostgres(join(dataDir, 'postgres'));
  removeState(dataDir, 'children');
  removeState(dataDir, 'run');
  return children.length;
};
