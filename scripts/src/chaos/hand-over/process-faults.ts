import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, signal as sendSignal } from '@bursar/embedded';
import { readState } from '../../up/files.ts';
import { Random } from './random.ts';

export type Fault = Readonly<{ atMs: number; kind: 'kill' | 'freeze'; victim: string; pid: number; forMs: number }>;

/** Longest that a process other than a projector stays frozen: clients wait that long for it. */
const OTHERS_FROZEN_MS = 5_000;

/** Kills and freezes processes of a running system, at random moments of a seed. `up` restarts what was killed. */
export class ProcessFaults {
  readonly made: Fault[] = [];
  readonly #random: Random;
  readonly #frozen = new Map<number, string>();
  readonly #thaws: Promise<void>[] = [];

  readonly #dataDir: string;
  readonly #all: boolean;
  readonly #say: (line: string) => void;

  constructor(dataDir: string, seed: number, all: boolean, say: (line: string) => void) {
    this.#dataDir = dataDir;
    this.#all = all;
    this.#say = say;
    this.#random = new Random(seed, 'faults');
  }

  /** Until the signal aborts; everything runs again when it resolves. */
  async run(stop: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    // The first of all is a sleep well past the lease: what wakes then must lose.
    await this.#freeze('budget-projector', this.#random.between(5_000, 8_000), startedAt, stop);
    while (!stop.aborted) {
      await delay(this.#random.between(500, 4_000), undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) break;
      const victim = this.#chooseVictim();
      const kills = this.#random.chance(0.5);
      const longest = victim === 'budget-projector' ? 15_000 : OTHERS_FROZEN_MS;
      const forMs = this.#random.between(1_000, longest);
      if (kills) this.#kill(victim, startedAt);
      else await this.#freeze(victim, forMs, startedAt, stop);
    }
    await Promise.all(this.#thaws);
  }

  #chooseVictim(): string {
    const others = ['ingestion', 'nats', 'postgres'];
    return this.#all && this.#random.chance(0.3) ? (this.#random.pick(others) ?? 'nats') : 'budget-projector';
  }

  #kill(victim: string, startedAt: number): void {
    const pid = this.#pidOf(victim);
    if (pid === null) return;
    this.#note({ kind: 'kill', victim, pid, forMs: 0, atMs: performance.now() - startedAt });
    sendSignal(pid, 'SIGKILL');
  }

  async #freeze(victim: string, forMs: number, startedAt: number, stop: AbortSignal): Promise<void> {
    const pid = this.#pidOf(victim);
    if (pid === null) return;
    this.#note({ kind: 'freeze', victim, pid, forMs, atMs: performance.now() - startedAt });
    sendSignal(pid, 'SIGSTOP');
    this.#frozen.set(pid, victim);
    this.#thaws.push(this.#thaw(pid, forMs, stop));
  }

  async #thaw(pid: number, forMs: number, stop: AbortSignal): Promise<void> {
    await delay(forMs, undefined, { signal: stop }).catch(() => undefined);
    if (isAlive(pid)) sendSignal(pid, 'SIGCONT');
    this.#frozen.delete(pid);
  }

  #note(fault: Fault): void {
    this.made.push(fault);
    const what = fault.kind === 'kill' ? 'killed' : `frozen for ${(fault.forMs / 1_000).toFixed(1)} s`;
    this.#say(`${(fault.atMs / 1_000).toFixed(1).padStart(6)} s  ${fault.victim} (${fault.pid}) ${what}`);
  }

  /** One of that name that is well, as long as another one is; null while there is none. Without an heir there is nothing to hand over. */
  #pidOf(name: string): number | null {
    const run = readState(this.#dataDir, 'run');
    const processes = [...(run?.services ?? []).filter(({ ready }) => ready), ...(run?.infrastructure ?? [])];
    const pids = processes.filter((process) => process.name === name).map(({ pid }) => pid);
    const well = pids.filter((pid) => !this.#frozen.has(pid) && isAlive(pid));
    if (run?.services.some((service) => service.name === name) && well.length < 2) return null;
    return this.#random.pick(well) ?? null;
  }
}
