import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNats } from '../nats/start-nats.js';
import { endProcess, type RunningServer } from '../processes.js';

/** How to restart: `SIGKILL` is a crash; `wipe` also loses JetStream's storage; `whileDown` runs between stop and start; `password`: another from then on. */
export type RestartOptions = Readonly<{
  signal?: 'SIGTERM' | 'SIGKILL';
  wipe?: boolean;
  whileDown?: () => Promise<void>;
  password?: string;
}>;

export interface TestNats {
  /** Carries the credentials; stays the same over restarts. */
  readonly url: string;
  /** Of the present server: changes at a restart. */
  readonly pid: number;
  readonly dataDir: string;
  stop(): Promise<void>;
  restart(options?: RestartOptions): Promise<void>;
}

/** A nats-server of its own, with JetStream and user/password. Call `stop()` at the end (afterAll): it removes the data too. */
export const testNats = async (): Promise<TestNats> => {
  const directory = mkdtempSync(join(tmpdir(), 'bursar-test-nats-'));
  const dataDir = join(directory, 'data');
  const credentials = { user: 'test', password: 'test-password' };
  let server: RunningServer = await startNats({ dataDir, credentials, dieWithParent: true });
  const { url, port } = server;
  return {
    url,
    dataDir,
    get pid() {
      return server.pid;
    },
    stop: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
    restart: async ({ signal = 'SIGTERM', wipe = false, whileDown, password = credentials.password } = {}) => {
      await endProcess(server.pid, signal, 10_000);
      if (wipe) rmSync(dataDir, { recursive: true, force: true });
      await whileDown?.();
      server = await startNats({ dataDir, port, credentials: { ...credentials, password }, dieWithParent: true });
    },
  };
};
