import { readState } from './files.ts';
import { runningSupervisor } from './leftovers.ts';
import { stillRuns } from './process-identity.ts';
import { isReady } from './readiness.ts';

/** Prints what runs on this data directory; answers the exit code: 0 when everything is ready, 1 when not, 3 when nothing runs. */
export const showStatus = async (dataDir: string, print: (line: string) => void): Promise<number> => {
  const supervisor = runningSupervisor(dataDir);
  const recorded = readState(dataDir, 'children') ?? [];
  const alive = new Set(recorded.filter(stillRuns).map(({ pid }) => pid));
  const run = readState(dataDir, 'run');
  if (supervisor === undefined && alive.size === 0) {
    print(`nothing runs on ${dataDir}`);
    return 3;
  }
  print(
    supervisor === undefined
      ? 'the supervisor is gone, what it started still runs: scripts/up takes over, scripts/up --down stops it'
      : `supervisor (pid ${supervisor}) runs on ${dataDir}`,
  );
  if (run === undefined) {
    print('not ready yet');
    return 1;
  }
  const services = await Promise.all(
    run.services.map(async ({ name, pid, url }) => ({
      name,
      pid,
      url,
      state: !alive.has(pid) ? 'down' : (await isReady(url)) ? 'ready' : 'not ready',
    })),
  );
  const servers = run.infrastructure.map(({ name, pid }) => ({ name, pid, url: '', state: alive.has(pid) ? 'ready' : 'down' }));
  const rows = [...servers, ...services];
  for (const { name, pid, url, state } of rows) print(`  ${name.padEnd(18)} ${String(pid).padEnd(8)} ${state.padEnd(10)} ${url}`.trimEnd());
  return supervisor !== undefined && rows.every(({ state }) => state === 'ready') ? 0 : 1;
};
