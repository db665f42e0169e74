import type { EpochNs } from '@bursar/contracts';
import type { Charge } from '@bursar/contracts/folds';
import type { Lease } from '@bursar/leases';
import { CountWait } from './count-wait.js';
import { Decisions } from './decisions.js';
import { ExpiryLoop, type ExpiryWatch } from './expire-holds.js';
import { FoldMemory } from './fold-memory.js';
import { PartitionFold } from './fold-partition.js';
import type { Handover } from './handover.js';
import { HoldDesk } from './hold-desk.js';
import type { Expiring } from './hold-rows.js';
import type { Ledger, LedgerItem } from './ledger.js';
import type { MemoryRoom } from './memory-room.js';
import { OwnChanges } from './own-changes.js';
import type { ProjectionTables } from './projection-tables.js';
import type { TenantHistories } from './tenant-histories.js';
import { Turns } from './turns.js';
import { Watermark } from './watermark.js';

export type StateNeeds = Readonly<{
  tables: ProjectionTables;
  ledger: Ledger;
  lease: Lease;
  /** Revision of `PartitionTaken`, by which this owner took the stream of holds. */
  revision: number;
  /** The checkpoint. */
  position: number;
  /** Open holds of the tables at the checkpoint. */
  open: readonly Expiring[];
  histories: TenantHistories;
  handover: Handover;
  room: MemoryRoom;
  /** The clock decisions go by. */
  now: () => EpochNs;
  /** Aborts when the owner's life ends. */
  ended: AbortSignal;
  /** Aborts when the owner is to leave, or its life ends. */
  leaving: AbortSignal;
  checked: (violations: readonly string[]) => void;
  expiries: ExpiryWatch;
  /** A decision may be said and not known here: the state is worth nothing any more. */
  failed: (error: Error) => void;
}>;

/** What one owner's life on a partition works on, from the checkpoint on: what is folded and what is decided beside it. It dies with that life. */
export class PartitionState {
  readonly own = new OwnChanges();
  readonly memory: FoldMemory;
  readonly fold: PartitionFold;
  readonly turns = new Turns();
  readonly desk: HoldDesk;
  readonly expiries: ExpiryLoop;
  readonly decisions: Decisions;

  constructor({
    tables,
    ledger,
    lease,
    revision,
    position,
    open,
    histories,
    handover,
    room,
    now,
    ended,
    leaving,
    checked,
    expiries,
    failed,
  }: StateNeeds) {
    const { own, turns } = this;
    const { key, partition } = lease;
    const folded = new Watermark(position);
    const memory = new FoldMemory(tables, ledger, histories, room);
    const makeRoom = (): void => this.makeRoom();
    this.memory = memory;
    this.desk = new HoldDesk({ memory, tables, ledger, own, turns, folded, makeRoom, now, key, revision, checked, failed });
    this.expiries = new ExpiryLoop(this.desk, ledger, partition, folded, now, ended, expiries);
    this.expiries.seed(open);
    const counts = new CountWait(position, leaving);
    const onFolded = (item: LedgerItem, charged: Charge | null): void => {
      handover.push(item, charged);
      folded.advance(item.position);
      counts.folded(item);
    };
    this.fold = new PartitionFold(tables, memory, onFolded, this.expiries, own);
    this.decisions = new Decisions(memory, folded, turns, makeRoom, ended, this.desk, counts, () => ledger.head(partition));
  }

  /** Lets go of what nothing waits for. */
  makeRoom(): void {
    this.memory.evict(this.fold.changes);
  }

  /** Nobody is answered from it any more. */
  leave(): void {
    this.desk.stop();
    this.memory.leave();
  }
}
