import { toBatch } from '../../src/features/batches.js';
import { PastCounter } from '../../src/features/count-past.js';
import { BreakdownFold } from '../../src/features/fold-breakdown.js';
import { FoldMemory } from '../../src/features/fold-memory.js';
import { PartitionFold } from '../../src/features/fold-partition.js';
import { type MemoryLimits, MemoryRoom } from '../../src/features/memory-room.js';
import type { Fence, ProjectionTables } from '../../src/features/projection-tables.js';
import { UsageRerater } from '../../src/features/rerate-usage.js';
import { sendOutbox } from '../../src/features/send-outbox.js';
import { TenantHistories } from '../../src/features/tenant-histories.js';
import { KEY } from './leases.js';
import type { MemoryLedger } from './memory-ledger.js';
import type { Turn } from './stories.js';

const UNLIMITED: MemoryLimits = { tenants: 1_000, definitions: 100_000, periods: 100_000 };

/** The projector's parts, driven by hand: what it does, and when it dies, is the test's choice. */
export class Driver {
  #fold: PartitionFold;
  #memory: FoldMemory;
  #fence: Fence | null = null;
  #folded = 0;
  #unsent: Parameters<typeof sendOutbox>[3] = [];
  #breakdownFence: Fence | null = null;

  constructor(
    readonly tables: ProjectionTables,
    readonly ledger: MemoryLedger,
    private readonly limits: MemoryLimits = UNLIMITED,
  ) {
    [this.#memory, this.#fold] = this.#fresh();
  }

  async take(turn: Turn): Promise<void> {
    switch (turn.turn) {
      case 'fold':
        await this.fold(turn.events);
        return;
      case 'commit':
        return this.commit();
      case 'send':
        return this.send();
      case 'crash':
        return this.crash();
      case 'crash after commit':
        await this.commit();
        return this.crash();
      case 'count':
        return this.count();
      case 'rerate':
        return this.rerate();
      case 'evict':
        this.#memory.evict(this.#fold.changes);
        return;
      case 'break down':
        return this.breakDown();
    }
  }

  /** Answers how many events there were to fold. */
  async fold(events: number): Promise<number> {
    await this.#own();
    const items = this.ledger.after(this.#folded, events);
    await this.#fold.fold(items, () => this.commit());
    this.#folded += items.length;
    return items.length;
  }

  async commit(): Promise<void> {
    const fence = await this.#own();
    if (this.#fold.changes.events === 0) return;
    const batch = toBatch(this.#fold.takeChanges());
    this.#fence = await this.tables.commit(fence, batch);
    this.#unsent = [...this.#unsent, ...batch.emitted];
  }

  async send(): Promise<void> {
    await sendOutbox(this.ledger, this.tables, 0, this.#unsent);
    this.#unsent = [];
  }

  crash(): void {
    [this.#memory, this.#fold] = this.#fresh();
    this.#fence = null;
    this.#unsent = [];
  }

  /** Adds up the past of what is committed as counting. */
  async count(): Promise<void> {
    await this.#own();
    const counter = new PastCounter(this.tables, this.ledger, new TenantHistories(this.tables), 0, () => true);
    await counter.countAll(new AbortController().signal);
  }

  /** Rerates what the corrections of prices that are committed change. */
  async rerate(): Promise<void> {
    await this.#own();
    const rerater = new UsageRerater(this.tables, this.ledger, new TenantHistories(this.tables), 0, () => true);
    await rerater.applyAll(new AbortController().signal);
  }

  async breakDown(): Promise<void> {
    this.#breakdownFence ??= await this.tables.take('breakdown', KEY);
    const { position } = (await this.#own()) as Fence;
    const fold = new BreakdownFold(this.tables, new TenantHistories(this.tables));
    const flush = async (): Promise<void> => {
      if (fold.events === 0 || this.#breakdownFence === null) return;
      this.#breakdownFence = await this.tables.commitBreakdown(this.#breakdownFence, fold.take());
    };
    const items = this.ledger.events.slice(this.#breakdownFence.position, position);
    await fold.fold(
      items.map((item) => ({ position: item.position, item, charged: null })),
      flush,
    );
    await flush();
  }

  /** Runs until nothing is left to do. */
  async settle(): Promise<void> {
    for (;;) {
      await this.fold(7);
      await this.commit();
      await this.send();
      if (this.#folded < this.ledger.events.length) continue;
      await this.count();
      await this.rerate();
      if (this.#folded === this.ledger.events.length) break;
    }
    await this.breakDown();
  }

  async #own(): Promise<Fence> {
    if (this.#fence === null) {
      this.#fence = await this.tables.take('budget', KEY);
      await sendOutbox(this.ledger, this.tables, 0, await this.tables.outbox(0));
      this.#folded = this.#fence.position;
    }
    return this.#fence;
  }

  #fresh(): [FoldMemory, PartitionFold] {
    const memory = new FoldMemory(this.tables, this.ledger, new TenantHistories(this.tables), new MemoryRoom(this.limits));
    return [memory, new PartitionFold(this.tables, memory)];
  }
}
