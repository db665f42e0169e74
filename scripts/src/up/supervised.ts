import { setTimeout as delay } from 'node:timers/promises';
import { type Exit, endProcess } from '@bursar/embedded';
import { Backoff } from './backoff.ts';

/** One process to keep running. */
export type ChildSpec = Readonly<{
  /** The folder under services/, or `postgres` / `nats`. */
  name: string;
  /** Unique; tells replicas apart in messages and logs. */
  label: string;
  url?: string;
  stopSignal: NodeJS.Signals;
  graceMs: number;
  /** Spawns, calls `spawned` at once and resolves when the process is ready. Rejects when it ended before that. */
  start(spawned: (pid: number) => void): Promise<{ exited: Promise<Exit> }>;
}>;

/** `pid` is that of the present process, or of the last one while none runs. */
export type ChildState = Readonly<{ pid: number | undefined; running: boolean; ready: boolean }>;

/** Restarts its child whenever it ends, with backoff, until stopped. A stopped (SIGSTOP) child has not ended and is left alone. */
export class Supervised {
  #state: ChildState = { pid: undefined, running: false, ready: false };
  #failures = 0;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #lastProblem = '';
  #resolveReady: () => void = () => {};
  readonly #firstReady = new Promise<void>((resolve) => {
    this.#resolveReady = resolve;
  });

  readonly spec: ChildSpec;
  readonly #changed: () => void;
  readonly #say: (line: string) => void;

  constructor(spec: ChildSpec, changed: () => void, say: (line: string) => void) {
    this.spec = spec;
    this.#changed = changed;
    this.#say = say;
  }

  get state(): ChildState {
    return this.#state;
  }

  /** Starts the child; resolves when it is ready for the first time, rejects after `attempts` starts that failed. */
  async start(attempts: number): Promise<void> {
    this.#loop = this.#run();
    await Promise.race([this.#firstReady, this.#failed(attempts)]);
  }

  /** Ends the child for good. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const { pid, running } = this.#state;
    if (pid !== undefined && running) await endProcess(pid, this.spec.stopSignal, this.spec.graceMs);
    await this.#loop;
  }

  async #run(): Promise<void> {
    const backoff = new Backoff();
    while (!this.#stopping.signal.aborted) {
      let readyAt: number | undefined;
      try {
        const { exited } = await this.spec.start((pid) => this.#set({ pid, running: true, ready: false }));
        readyAt = performance.now();
        this.#set({ ...this.#state, ready: true });
        this.#resolveReady();
        if (this.#failures > 0) this.#say(`${this.spec.label} runs again (pid ${this.#state.pid})`);
        this.#lastProblem = `${this.spec.label} ended (${describe(await exited)})`;
      } catch (error) {
        this.#lastProblem = (error as Error).message;
      }
      const readyForMs = readyAt === undefined ? 0 : performance.now() - readyAt;
      this.#set({ ...this.#state, running: false, ready: false });
      if (this.#stopping.signal.aborted) return;
      this.#failures += 1;
      const waitMs = backoff.delayAfter(readyForMs);
      this.#say(`${this.#lastProblem}; restarting in ${waitMs / 1000} s`);
      await delay(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {}); // aborted: stopping
    }
  }

  async #failed(attempts: number): Promise<never> {
    while (this.#failures < attempts && !this.#stopping.signal.aborted) await delay(20);
    throw new Error(this.#lastProblem);
  }

  #set(state: ChildState): void {
    this.#state = state;
    this.#changed();
  }
}

const describe = ({ code, signal }: Exit): string => (signal === null ? `exit code ${code}` : `signal ${signal}`);
