import type { EpochNs } from '@bursar/contracts';
import type { Hold } from '../domain/holds/hold.js';
import type { Terms } from '../domain/holds/terms.js';
import { Expiries } from './expiries.js';
import type { HoldDesk } from './hold-desk.js';
import type { Expiring } from './hold-rows.js';
import type { Ledger } from './ledger.js';
import type { Watermark } from './watermark.js';

const EVERY_MS = 200;
/** So many in one go: they are events of a bounded size, and a decision may want to come in between. */
const TOGETHER = 500;

export type ExpiryWatch = Readonly<{
  /** A hold has ended because its time was over. */
  expired: () => void;
  /** Holds whose time is over stay open: told once, until it goes well again. */
  failed: (error: unknown) => void;
}>;

/**
 * The owner's own timer: holds end when their time is over, whether or not anybody asks. First everything is folded that may have been
 * recorded before that, since usage that came in time settles its hold (ARCHITECTURE, Expiry).
 */
export class ExpiryLoop {
  readonly #expiries = new Expiries();
  #begun = false;
  #failing = false;

  constructor(
    private readonly desk: HoldDesk,
    private readonly ledger: Pick<Ledger, 'settledHead'>,
    private readonly partition: number,
    private readonly folded: Watermark,
    private readonly now: () => EpochNs,
    private readonly ended: AbortSignal,
    private readonly watch: ExpiryWatch,
  ) {}

  /** Open holds of the tables; those folded from there on are told by {@link opened} and {@link closed}. */
  seed(open: readonly Expiring[]): void {
    for (const one of open) this.#expiries.add(one);
  }

  /** One or more, on the same terms. */
  opened(tenant: string, { expiresAt }: Terms, ids: readonly string[]): void {
    this.#expiries.addAll(tenant, expiresAt, ids);
  }

  closed(hold: Hold): void {
    // What a new owner folds anew was told of by the one before it.
    if (this.#begun && hold.status === 'expired') this.watch.expired();
    if (hold.grant !== null) this.#expiries.remove(expiring(hold, hold.grant.terms.expiresAt));
  }

  begin(): void {
    if (this.#begun || this.ended.aborted) return;
    this.#begun = true;
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      void this.#expire().finally(() => {
        busy = false;
      });
    }, EVERY_MS);
    this.ended.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  /** Never rejects: what fails is told, and due again next time. */
  async #expire(): Promise<void> {
    const due = this.#expiries.due(this.now()).slice(0, TOGETHER);
    if (due.length === 0) return;
    try {
      const head = await this.ledger.settledHead(this.partition);
      await this.folded.reached(head, this.ended);
      if (this.ended.aborted) return;
      const outcomes = await Promise.allSettled(due.map(({ tenant, reservationId }) => this.desk.expire(tenant, reservationId)));
      const refused = outcomes.find((outcome) => outcome.status === 'rejected');
      if (refused === undefined) this.#failing = false;
      else this.#tell(refused.reason);
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    // Whatever ended the session is told by whoever runs it.
    if (this.#failing || this.ended.aborted) return;
    this.#failing = true;
    this.watch.failed(error);
  }
}

const expiring = ({ tenant, id }: Hold, expiresAt: EpochNs): Expiring => ({ tenant, reservationId: id, expiresAt });
