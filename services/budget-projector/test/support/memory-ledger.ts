import { balanceStream, derivedId, holdsStream, type LedgerEvent, usageStream } from '@bursar/contracts';
import type { Emitted } from '../../src/domain/emitted.js';
import {
  type Appended,
  type FollowOptions,
  type HoldsAppend,
  HoldsRefusedError,
  Ledger,
  type LedgerItem,
  type Taken,
} from '../../src/features/ledger.js';

type New = Readonly<{ stream: string; id: string; type: string; data: unknown; tenant: string; actor?: string }>;

/** One partition in memory: dense positions, ids once, a clock that the test moves. */
export class MemoryLedger extends Ledger {
  readonly partitions = 1;
  readonly events: LedgerEvent[] = [];
  readonly #ids = new Map<string, string>();
  readonly #revisions = new Map<string, number>();
  /** Epoch ms of the store's clock. */
  nowMs = Date.parse('2026-03-01T00:00:00Z');
  onAppended: () => void = () => undefined;
  /** Between a group of decisions and its place in the ledger. */
  beforeHolds: () => void = () => undefined;

  /** False: the id is there already, with this content. Throws on another content. */
  put({ stream, id, type, data, tenant, actor }: New): boolean {
    const text = JSON.stringify(data);
    const known = this.#ids.get(id);
    if (known !== undefined && known !== text) throw new Error(`conflict: ${id} is\n${known}\nand not\n${text}`);
    if (known !== undefined) return false;
    this.#ids.set(id, text);
    const revision = (this.#revisions.get(stream) ?? -1) + 1;
    this.#revisions.set(stream, revision);
    this.events.push({
      partition: 0,
      position: this.events.length + 1,
      stream,
      revision,
      id,
      type,
      recordedAt: `${new Date(this.nowMs).toISOString().slice(0, 23)}000Z`,
      meta: { tenant, ...(actor !== undefined && { actor }) },
      data: JSON.parse(text),
    } as LedgerEvent);
    this.onAppended();
    return true;
  }

  after(position: number, limit: number): readonly LedgerEvent[] {
    return this.events.slice(position, position + limit);
  }

  async follow(
    { after, maxEvents, signal }: FollowOptions,
    handler: (items: readonly LedgerItem[], alive: () => void) => Promise<void>,
  ): Promise<void> {
    for (let position = after; !signal.aborted; ) {
      const items = this.after(position, maxEvents);
      if (items.length === 0) await new Promise((resolve) => setImmediate(resolve));
      else {
        await handler(items, () => undefined);
        position += items.length;
      }
    }
  }

  async read(_partition: number, after: number, limit: number): Promise<readonly LedgerItem[]> {
    return this.after(after, limit);
  }

  async takePartition(partition: number, taken: Taken): Promise<number> {
    const id = derivedId('taken', taken.owner, String(taken.epoch));
    this.put({ stream: holdsStream(partition), id, type: 'PartitionTaken', data: { partition, ...taken }, tenant: '' });
    return this.#revisions.get(holdsStream(partition)) ?? -1;
  }

  async appendHolds(partition: number, { id, data, expectedRevision }: HoldsAppend): Promise<Appended> {
    this.beforeHolds();
    const stream = holdsStream(partition);
    if ((this.#revisions.get(stream) ?? -1) !== expectedRevision) throw new HoldsRefusedError('refused');
    this.put({ stream, id, type: 'HoldsChanged', data: JSON.parse(data), tenant: '' });
    return { position: this.events.length, revision: expectedRevision + 1 };
  }

  async settledHead(): Promise<number> {
    return this.events.length;
  }

  async head(): Promise<number> {
    return this.events.length;
  }

  async firstUsage(tenant: string): Promise<number | null> {
    return this.events.find(({ stream }) => stream === usageStream(tenant))?.position ?? null;
  }

  /** In short pages, as the store's are where events are large. */
  async usage(tenant: string, fromRevision: number, limit: number): Promise<readonly LedgerItem[]> {
    const most = Math.min(limit, 3);
    return this.events.filter(({ stream }) => stream === usageStream(tenant)).slice(fromRevision, fromRevision + most);
  }

  async append(_partition: number, stream: string, events: readonly Emitted[]): Promise<void> {
    for (const { id, type, data, meta } of events) this.put({ stream, id, type, data: JSON.parse(data), ...JSON.parse(meta) });
  }

  /** What the projector said of a budget, in order. */
  saidOf(tenant: string, budgetId: string): readonly LedgerEvent[] {
    return this.events.filter(({ stream }) => stream === balanceStream(tenant, budgetId));
  }
}
