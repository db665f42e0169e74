import type { EpochNs } from '@bursar/contracts';
import type { Hold } from '../domain/holds/hold.js';
import { Expiries } from './expiries.js';
import type { HoldDesk } from './hold-desk.js';
import type { Expiring } from './hold-rows.js';
import type { Ledger } from './ledger.js';
import type { Watermark } from './watermark.js';

const EVERY_MS = 200;
/** So many in one go: they are events of a bounded size, and a decision may want to come in between. */
const TOGETHER = 500;

/**
 * The owner's own timer: holds end when their time is over, whether or not anybody asks. First everything is folded that may have been
 * recorded before that, since usage that came in time settles its hold (ARCHITECTURE, Expiry).
 */
export class ExpiryLoop {
  readonly #expiries = new Expiries();
  #begun = false;

  constructor(
    private readonly desk: HoldDesk,
    private readonly ledger: Pick<Ledger, 'settledHead'>,
    private readonly partition: number,
    private readonly folded: Watermark,
    private readonly now: () => EpochNs,
    private readonly ended: AbortSignal,
  ) {}

  /** Open holds of the tables; those folded from there on are told by {@link opened} and {@link closed}. */
  seed(open: readonly Expiring[]): void {
    for (const one of open) this.#expiries.add(one);
  }

  opened(hold: Hold): void {
    if (hold.grant !== null) this.#expiries.add(expiring(hold, hold.grant.expiresAt));
  }

  closed(hold: Hold): void {
    if (hold.grant !== null) this.#expiries.remove(expiring(hold, hold.grant.expiresAt));
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

  /** Never rejects: what fails is due again next time. */
  async #expire(): Promise<void> {
    const due = this.#expiries.due(this.now()).slice(0, TOGETHER);
    if (due.length === 0) return;
    try {
      const head = await this.ledger.settledHead(this.partition);
      await this.folded.reached(head, this.ended);
      if (this.ended.aborted) return;
      await Promise.allSettled(due.map(({ tenant, reservationId }) => this.desk.expire(tenant, reservationId)));
    } catch {
      // The store did not answer; whoever folds says so.
    }
  }
}

const expiring = ({ tenant, id }: Hold, expiresAt: EpochNs): Expiring => ({ tenant, reservationId: id, expiresAt });
