import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort, type TestDatabase, type TestNats, testDatabase, testNats } from '@bursar/embedded';
import type { Service } from '@bursar/platform';
import { bootApi } from '../../src/boot.js';
import { ApiEnv } from '../../src/config.js';

export const ADMIN_KEY = 'bsr_test_admin_key_of_the_suite';
/** Few, so that the projector's loops start fast. */
export const PARTITIONS = '4';

/** The api in this process over real PostgreSQL and NATS, with projector, ingestion and alerting as processes of their own. */
export type TestSystem = Readonly<{
  url: string;
  service: Service;
  database: TestDatabase;
  nats: TestNats;
  ingestion: Process;
  projector: Process;
  alerting: Process;
  /** The reset-scheduler, which nothing needs but what speaks of periods that it ended; whoever starts it kills it. */
  startScheduler(): Promise<Process>;
  stop(): Promise<void>;
}>;

export type Process = Readonly<{ url: string; kill(): Promise<void>; start(): Promise<void>; signal(name: 'SIGSTOP' | 'SIGCONT'): void }>;

export const startSystem = async (): Promise<TestSystem> => {
  const [database, nats] = await Promise.all([testDatabase(), testNats()]);
  const env = {
    DATABASE_URL: database.url,
    EVENT_STORE_URL: database.url,
    NATS_URL: nats.url,
    BURSAR_ADMIN_KEY: ADMIN_KEY,
    PARTITIONS,
    LOG_LEVEL: 'error',
    MAX_EVENT_AGE: '2000d',
  };
  const processes = [launch('ingestion', env), launch('budget-projector', env), launch('alerting', env)] as const;
  const [ingestion, projector, alerting] = await Promise.all(processes).catch(async (error: unknown) => {
    for (const one of await Promise.allSettled(processes)) if (one.status === 'fulfilled') await one.value.kill();
    throw error;
  });
  const config = ApiEnv.parse({ ...env, INGESTION_URL: ingestion.url, PROJECTOR_URL: projector.url, ALERTING_URL: alerting.url });
  const service = await bootApi(config).catch(async (error: unknown) => {
    await Promise.all([ingestion.kill(), projector.kill(), alerting.kill()]);
    throw error;
  });
  const { url } = await service.start();
  return {
    url,
    service,
    database,
    nats,
    ingestion,
    projector,
    alerting,
    startScheduler: () => launch('reset-scheduler', env),
    stop: async () => {
      await service.stop();
      await Promise.all([ingestion.kill(), projector.kill(), alerting.kill()]);
      await Promise.all([database.drop(), nats.stop()]);
    },
  };
};

/** A built service as `up` starts it. Killed without mercy at the end: nothing of the database outlives the test. */
const launch = async (name: string, env: Readonly<Record<string, string>>): Promise<Process> => {
  const main = fileURLToPath(new URL(`../../../${name}/dist/main.js`, import.meta.url));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const one = spawn(process.execPath, ['--enable-source-maps', main], {
      env: { ...process.env, NODE_OPTIONS: '', ...env, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child = one;
    await ready(`${url}/readyz`, one);
  };
  await start();
  return {
    url,
    start,
    signal: (name) => void child?.kill(name),
    kill: async () => {
      const one = child;
      if (one === null || one.exitCode !== null || one.signalCode !== null) return;
      one.kill('SIGKILL');
      await once(one, 'exit');
    },
  };
};

const ready = async (url: string, child: ChildProcess): Promise<void> => {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the process behind ${url} ended with ${child.exitCode}`);
    const answer = await fetch(url).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
};
