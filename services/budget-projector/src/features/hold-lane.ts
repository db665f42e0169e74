import { derivedId } from '@bursar/contracts';
import type { LeaseKey } from '@bursar/leases';
import { Crowd } from './crowd.js';
import { HoldGroup } from './hold-group.js';
import { NotDecidedError, OutcomeUnknownError } from './hold-outcomes.js';
import type { Ledger } from './ledger.js';
import type { OwnChanges } from './own-changes.js';

/**
 * Puts groups of decisions into the ledger, one append at a time, each fenced by the revision after the one before it. What is decided
 * while an append is on its way gathers in the open group, which goes as soon as that append is in; when it fails, nothing after it goes.
 */
export class HoldLane {
  #open = new HoldGroup();
  #flying: Promise<void> | null = null;
  readonly #crowd = new Crowd();
  #waiting: NodeJS.Timeout | undefined;
  #appended = 0;
  #isOver = false;

  constructor(
    private readonly ledger: Pick<Ledger, 'appendHolds'>,
    private readonly own: OwnChanges,
    private readonly key: LeaseKey,
    /** Revision of the stream's last event. */
    private revision: number,
    private readonly failed: (error: Error) => void,
  ) {}

  /** What is being decided goes here. */
  get open(): HoldGroup {
    return this.#open;
  }

  /** Position of the latest append. */
  get appended(): number {
    return this.#appended;
  }

  /** The open group goes now, when most of a crowd is in it, or when the append on its way is in. Without changes it needs no append, and is said in its turn. */
  send(): void {
    if (this.#flying !== null || this.#isOver || this.#open.isEmpty) return;
    const waitMs = this.#open.isFull || this.#open.isUnchanged ? 0 : this.#crowd.waitMs(this.#open.callers, performance.now());
    if (waitMs > 0) this.#waiting ??= setTimeout(() => this.#go(), waitMs);
    else this.#go();
  }

  #go(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    if (this.#flying !== null || this.#isOver || this.#open.isEmpty) return;
    const group = this.#open;
    this.#open = new HoldGroup();
    if (!group.isUnchanged) this.#flying = this.#append(group);
    else {
      this.#crowd.unchanged(group.callers);
      group.said(null);
    }
  }

  /** Resolves when no append is on its way. Never rejects. */
  async landed(): Promise<void> {
    while (this.#flying !== null) await this.#flying;
  }

  /** Nothing more goes; what was decided and has not gone was not decided. */
  stop(error: Error = new NotDecidedError('the session ended')): void {
    this.#isOver = true;
    clearTimeout(this.#waiting);
    const group = this.#open;
    this.#open = new HoldGroup();
    group.failed(error);
  }

  /** Never rejects. */
  async #append(group: HoldGroup): Promise<void> {
    const { partition, owner, epoch } = this.key;
    const id = derivedId('holds-changed', owner, String(partition), String(this.revision + 1), String(epoch));
    const data = group.eventOf(partition);
    this.own.expect(id, group.own);
    this.#crowd.leaves(group.callers, performance.now());
    try {
      const { position, revision } = await this.ledger.appendHolds(partition, { id, data, expectedRevision: this.revision });
      this.revision = revision;
      this.#appended = position;
      group.landed(position);
    } catch (cause) {
      this.own.take(id);
      this.#flying = null;
      const error = new OutcomeUnknownError('the append of a group of decisions failed', { cause });
      group.failed(error);
      this.failed(error);
      return;
    }
    this.#flying = null;
    const appended = this.#appended;
    this.#crowd.landed(this.#open.callers, performance.now());
    // The next is on its way while this one is said.
    this.send();
    group.said(appended);
  }
}
