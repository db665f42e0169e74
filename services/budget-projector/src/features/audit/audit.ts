import { setTimeout as delay } from 'node:timers/promises';
import type { AuditReads } from './audit-reads.js';
import { auditTree, type TreeLedger } from './audit-tree.js';

/** What has to hold at every moment (PRODUCT J8); each is a label of the metrics. */
export const INVARIANTS = ['tree', 'balances', 'holds', 'block_point'] as const;
export type Invariant = (typeof INVARIANTS)[number];

/** Told what was looked at and what was found broken; `detail` is for the log. */
export abstract class AuditWatch {
  abstract checked(invariant: Invariant, violations: readonly string[]): void;
  /** It could not be looked at; the figures may be well. */
  abstract failed(invariant: Invariant, error: unknown): void;
}

const EVERY_MS = 5_000;

/**
 * Looks again and again, in small samples of what this process owns, whether the tables are what they have to be. It reads only, and each look
 * is bounded, so it may run beside any load.
 */
export class Audit {
  #timer = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly reads: AuditReads,
    private readonly ledger: TreeLedger,
    private readonly owned: () => readonly number[],
    private readonly watch: AuditWatch,
  ) {}

  start(everyMs = EVERY_MS): void {
    this.#running = this.#run(everyMs, this.#timer.signal);
  }

  async stop(): Promise<void> {
    this.#timer.abort();
    await this.#running;
  }

  /** One look at each. */
  async look(): Promise<void> {
    const owned = this.owned();
    const partition = owned[Math.floor(Math.random() * owned.length)];
    if (partition === undefined) return;
    await this.#try('tree', () => auditTree(this.reads, this.ledger, partition));
    await this.#try('balances', () => this.reads.impossibleBalances());
    await this.#try('holds', () => this.reads.unbalancedHolds());
  }

  async #run(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(everyMs * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.look();
    }
  }

  /** `null`: there was nothing to look at. */
  async #try(invariant: Invariant, look: () => Promise<readonly string[] | null>): Promise<void> {
    try {
      const violations = await look();
      if (violations !== null) this.watch.checked(invariant, violations);
    } catch (error) {
      this.watch.failed(invariant, error);
    }
  }
}
