import { freePort, isPortFree } from '@bursar/embedded';
import { adminKey, type PortsFile, type RunFile, readState, removeState, writeState } from './files.ts';
import { checkNats, checkPostgres, type Infrastructure, natsChild, postgresChild } from './infrastructure.ts';
import { type UpOptions, UserError } from './options.ts';
import { identify } from './process-identity.ts';
import { builtServices, planReplicas, type Replica, type Shared, serviceChild, urlsOf } from './services.ts';
import { type ChildSpec, Supervised } from './supervised.ts';

/** A child may fail this often in a row before the start as a whole has failed: a lost race is retried, a bad setting is not. */
const START_ATTEMPTS = 3;
/** Fails within a minute (OPERATIONS). */
const START_DEADLINE_MS = 55_000;

export type SupervisorContext = Readonly<{ root: string; environment: NodeJS.ProcessEnv; say: (line: string) => void }>;

/** Starts and keeps running everything of one data directory. */
export class Supervisor {
  readonly #options: UpOptions;
  readonly #context: SupervisorContext;
  #infrastructure: readonly Supervised[] = [];
  #services: readonly Supervised[] = [];
  #addresses: Omit<RunFile, 'services' | 'infrastructure'> | undefined;
  #complete = false;
  #stopping = false;

  constructor(options: UpOptions, context: SupervisorContext) {
    this.#options = options;
    this.#context = context;
  }

  /** Resolves when every process is ready and run.json is written. Rejects with one line; then call `stop`. */
  start(): Promise<RunFile> {
    return this.#withinDeadline(this.#startAll());
  }

  async #startAll(): Promise<RunFile> {
    const { dataDir, port, replicas: counts } = this.#options;
    const { root, environment } = this.#context;
    if (!(await isPortFree(port))) throw new UserError(`port ${port} is taken: choose another with --port N, or stop what listens there`);
    const ports = new Ports(dataDir, port);
    const replicas = await planReplicas(builtServices(root), counts, port, (label) => ports.of(label));
    const adminApiKey = adminKey(dataDir);

    const { databaseUrl, natsUrl } = await this.#startInfrastructure(ports);
    const eventStoreUrl = environment.EVENT_STORE_URL || databaseUrl;
    if (environment.EVENT_STORE_URL?.startsWith('postgres')) await checkPostgres('EVENT_STORE_URL', eventStoreUrl);
    const shared: Shared = { dataDir, databaseUrl, eventStoreUrl, natsUrl, adminApiKey, environment };
    this.#addresses = { ...addressesOf(replicas), natsUrl, databaseUrl, eventStoreUrl, adminApiKey };

    this.#services = replicas.map((replica) => this.#supervise(serviceChild(root, replica, replicas, shared)));
    await Promise.all(this.#services.map((child) => child.start(START_ATTEMPTS)));
    this.#complete = true;
    return this.#record() as RunFile;
  }

  /** Services first, so that they can finish with their servers still there; then NATS, then PostgreSQL. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await Promise.all(this.#services.map((child) => child.stop()));
    const named = (name: string) => this.#infrastructure.filter(({ spec }) => spec.name === name).map((child) => child.stop());
    await Promise.all(named('nats'));
    await Promise.all(named('postgres'));
    removeState(this.#options.dataDir, 'run');
    removeState(this.#options.dataDir, 'children');
  }

  async #startInfrastructure(ports: Ports): Promise<{ databaseUrl: string; natsUrl: string }> {
    const { dataDir } = this.#options;
    const { DATABASE_URL, NATS_URL } = this.#context.environment;
    if (DATABASE_URL) await checkPostgres('DATABASE_URL', DATABASE_URL);
    if (NATS_URL) await checkNats(NATS_URL);
    const postgres = DATABASE_URL ? undefined : postgresChild(dataDir, await ports.of('postgres'));
    const nats = NATS_URL ? undefined : await natsChild(dataDir, await ports.of('nats'), this.#context.say);
    const own = [postgres, nats].filter((server): server is Infrastructure => server !== undefined);
    this.#infrastructure = own.map(({ child }) => this.#supervise(child));
    await Promise.all(this.#infrastructure.map((child) => child.start(START_ATTEMPTS)));
    return { databaseUrl: DATABASE_URL || (postgres?.url() ?? ''), natsUrl: NATS_URL || (nats?.url() ?? '') };
  }

  #supervise(spec: ChildSpec): Supervised {
    return new Supervised(spec, () => this.#changed(), this.#context.say);
  }

  async #withinDeadline<T>(started: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const waiting = [...this.#infrastructure, ...this.#services].filter(({ state }) => !state.ready).map(({ spec }) => spec.label);
        reject(new Error(`not ready after ${START_DEADLINE_MS / 1000} s: ${waiting.join(', ')}; see ${this.#options.dataDir}/logs`));
      }, START_DEADLINE_MS);
    });
    return Promise.race([started, late]).finally(() => clearTimeout(timer));
  }

  /** A disk that is full must not end the supervision of what runs. */
  #changed(): void {
    try {
      this.#record();
    } catch (error) {
      this.#context.say(`run.json could not be written: ${(error as Error).message}`);
    }
  }

  /** Writes who runs; called at every change, so a child is on record as soon as it has a pid. */
  #record(): RunFile | undefined {
    const { dataDir } = this.#options;
    const all = [...this.#infrastructure, ...this.#services];
    const children = all.flatMap(({ spec, state }) =>
      state.pid === undefined || !state.running ? [] : [{ name: spec.name, ...identify(state.pid) }],
    );
    writeState(dataDir, 'children', children);
    if (!this.#complete || this.#addresses === undefined || this.#stopping) return undefined;
    const run: RunFile = {
      ...this.#addresses,
      // Between a crash and the restart a child keeps its last pid, not ready: never 0, which kill(1) takes for a whole group.
      services: this.#services.map(({ spec, state }) => ({
        name: spec.name,
        pid: state.pid ?? NO_PID,
        url: spec.url ?? '',
        ready: state.ready,
      })),
      infrastructure: this.#infrastructure.map(({ spec, state }) => ({ name: spec.name as 'postgres' | 'nats', pid: state.pid ?? NO_PID })),
    };
    writeState(dataDir, 'run', run);
    return run;
  }
}

/** Never written: every child has had a pid once the start is complete. */
const NO_PID = Number.NaN;

const addressesOf = (replicas: readonly Replica[]) => {
  const first = (service: string): string => urlsOf(replicas, service)[0] ?? '';
  return { apiUrl: first('api'), ingestionUrl: first('ingestion'), enforcementUrl: first('budget-projector') };
};

/** Ports by label: the remembered one while it is free, else a new one, remembered. */
class Ports {
  readonly #dataDir: string;
  readonly #taken: Set<number>;
  #ports: PortsFile;

  constructor(dataDir: string, apiPort: number) {
    this.#dataDir = dataDir;
    this.#ports = readState(dataDir, 'ports') ?? {};
    this.#taken = new Set([apiPort]);
  }

  async of(label: string): Promise<number> {
    const before = this.#ports[label];
    const port = before !== undefined && !this.#taken.has(before) && (await isPortFree(before)) ? before : await freePort(this.#taken);
    this.#taken.add(port);
    this.#ports = { ...this.#ports, [label]: port };
    writeState(this.#dataDir, 'ports', this.#ports);
    return port;
  }
}
