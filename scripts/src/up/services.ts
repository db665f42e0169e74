import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lastProblem, launch } from '@bursar/embedded';
import { secretKeyFile } from './files.ts';
import { UserError } from './options.ts';
import { waitUntilReady } from './readiness.ts';
import type { ChildSpec } from './supervised.ts';

/** One process of a service. */
export type Replica = Readonly<{ service: string; label: string; port: number; opsPort: number; url: string }>;

/** Everything a service learns from its environment beside its own ports. */
export type Shared = Readonly<{
  dataDir: string;
  databaseUrl: string;
  eventStoreUrl: string;
  natsUrl: string;
  adminApiKey: string;
  environment: NodeJS.ProcessEnv;
}>;

/**
 * A process that may have a large heap lets its garbage grow to four times what lives, for as long as it has much to do: with this limit,
 * which it never comes near, to less than twice. The projector may have to keep a tenant of any size, so it has no limit, and says the growth.
 * Its young space is half of node's own, since what lives of it is copied while everybody waits for a decision, and is copied by one thread (ADR 0041).
 */
export const NODE_FLAGS: Readonly<Record<string, readonly string[]>> = {
  'reset-scheduler': ['--max-old-space-size=1024'],
  'budget-projector': ['--heap-growing-percent=100', '--max-semi-space-size=16', '--no-parallel-scavenge'],
  alerting: ['--heap-growing-percent=50'],
};

/**
 * What a service reads and sends goes through buffers outside its heap. By itself the C library keeps what was freed of them, in pools per
 * thread that grow with the largest ever asked for: with fixed thresholds large ones, and what is left over of many, go back. Ranges and pages are
 * below them: giving each back at once cost the projector a tenth of its speed.
 */
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '16777216' };

const DEFAULTS = { PARTITIONS: '16', MAX_EVENT_AGE: '35d', LOG_LEVEL: 'info', ...MALLOC };

/** The services of this clone: every folder under services/ that was built. */
export const builtServices = (root: string): readonly string[] =>
  readdirSync(join(root, 'services'))
    .filter((name) => existsSync(join(root, 'services', name, 'dist', 'main.js')))
    .sort();

/** Gives every process its ports: the api's first one has the asked port, all others come from `portFor`, which remembers. */
export const planReplicas = async (
  services: readonly string[],
  counts: ReadonlyMap<string, number>,
  apiPort: number,
  portFor: (label: string) => Promise<number>,
): Promise<readonly Replica[]> => {
  const unknown = [...counts.keys()].find((name) => !services.includes(name));
  if (unknown !== undefined) throw new UserError(`--replicas: there is no service ${unknown}, only ${services.join(', ')}`);
  const replicas: Replica[] = [];
  for (const service of services) {
    for (let n = 1; n <= (counts.get(service) ?? 1); n += 1) {
      const label = n === 1 ? service : `${service}-${n}`;
      const port = label === 'api' ? apiPort : await portFor(label);
      replicas.push({ service, label, port, opsPort: await portFor(`${label}.ops`), url: `http://127.0.0.1:${port}` });
    }
  }
  return replicas;
};

/** The addresses of all processes of a service, first one first. */
export const urlsOf = (replicas: readonly Replica[], service: string): readonly string[] =>
  replicas.filter((replica) => replica.service === service).map((replica) => replica.url);

export const serviceEnvironment = (replica: Replica, replicas: readonly Replica[], shared: Shared): NodeJS.ProcessEnv => ({
  ...DEFAULTS,
  ALERT_FILES_DIR: join(shared.dataDir, 'alerts'),
  NODE_COMPILE_CACHE: join(shared.dataDir, 'compile-cache'), // a fifth less to do at every start and restart
  ...shared.environment,
  HOST: '127.0.0.1',
  PORT: String(replica.port),
  OPS_PORT: String(replica.opsPort),
  DATABASE_URL: shared.databaseUrl,
  EVENT_STORE_URL: shared.eventStoreUrl,
  NATS_URL: shared.natsUrl,
  BURSAR_ADMIN_KEY: shared.adminApiKey,
  ...secretKey(shared),
  INGESTION_URL: urlsOf(replicas, 'ingestion').join(','),
  PROJECTOR_URL: urlsOf(replicas, 'budget-projector').join(','),
  ALERTING_URL: urlsOf(replicas, 'alerting').join(','),
  API_URL: urlsOf(replicas, 'api')[0],
});

/** The operator's own key, or the one this data directory keeps. */
const secretKey = ({ dataDir, environment }: Shared): NodeJS.ProcessEnv =>
  environment.BURSAR_SECRET_KEY === undefined && environment.BURSAR_SECRET_KEY_FILE === undefined
    ? { BURSAR_SECRET_KEY_FILE: secretKeyFile(dataDir) }
    : {};

export const serviceChild = (root: string, replica: Replica, replicas: readonly Replica[], shared: Shared): ChildSpec => {
  const logFile = join(shared.dataDir, 'logs', `${replica.label}.log`);
  return {
    name: replica.service,
    label: replica.label,
    url: replica.url,
    stopSignal: 'SIGTERM',
    graceMs: 20_000,
    start: async (spawned) => {
      const { pid, exited } = await launch({
        command: process.execPath,
        args: ['--enable-source-maps', ...(NODE_FLAGS[replica.service] ?? []), 'dist/main.js'],
        cwd: join(root, 'services', replica.service),
        env: serviceEnvironment(replica, replicas, shared),
        logFile,
      });
      spawned(pid);
      if (!(await waitUntilReady(replica.url, exited)))
        throw new Error(`${replica.label} ended before it was ready: ${lastProblem(logFile)}`);
      return { exited };
    },
  };
};
