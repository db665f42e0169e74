import type { PartitionView } from '../decide-group.js';
import type { AppendRequest } from '../port.js';

/** After known ids were met, this many groups look ids up before they write: retries come in waves. */
const WARY_GROUPS = 32;
/** After another process moved the head, this many appends must find it where they left it before one is sent unseen again. */
const CONTENDED_GROUPS = 8;
const MAX_STREAMS = 10_000;

/**
 * What this process knows of a partition from its own last append. True exactly while the head has not moved since, which the next
 * append proves or refutes under the head's lock; so it may be stale, never wrong.
 */
export class PartitionMemory {
  private position: number | undefined;
  private revisions = new Map<string, number>();
  private wary = 0;
  private contended = 0;

  /** The view to decide on, or null when something about it is not known. */
  recall(requests: readonly AppendRequest[]): Pick<PartitionView, 'position' | 'revisions'> | null {
    if (this.position === undefined || this.contended > 0) return null;
    const revisions = new Map<string, number>();
    for (const { stream } of requests) {
      const revision = this.revisions.get(stream);
      if (revision === undefined) return null;
      revisions.set(stream, revision);
    }
    return { position: this.position, revisions };
  }

  /** After a commit that moved the head from `before` to `position`. What was learnt at another head is dropped. */
  learn(before: number, position: number, revisions: ReadonlyMap<string, number>): void {
    const undisturbed = this.position === before;
    this.contended = undisturbed ? Math.max(0, this.contended - 1) : this.position === undefined ? this.contended : CONTENDED_GROUPS;
    if (!undisturbed || this.revisions.size > MAX_STREAMS) this.revisions = new Map();
    for (const [stream, revision] of revisions) this.revisions.set(stream, revision);
    this.position = position;
  }

  /** Another process appended in between. */
  sawHeadMoved(): void {
    this.contended = CONTENDED_GROUPS;
    this.forget();
  }

  forget(): void {
    this.position = undefined;
  }

  /** Ids were found taken, or an append's outcome is unknown so that its retry will come. */
  expectKnownIds(): void {
    this.wary = WARY_GROUPS;
  }

  get expectsKnownIds(): boolean {
    return this.wary > 0;
  }

  /** After a look-up. */
  sawKnownIds(some: boolean): void {
    this.wary = some ? WARY_GROUPS : Math.max(0, this.wary - 1);
  }
}
