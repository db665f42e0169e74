import type { Price } from '@bursar/contracts';
import { Injectable } from '@nestjs/common';
import { Moments } from '../adapters/store/moments.js';
import { type Answer, ok } from './answer.js';
import { LongReads } from './long-reads.js';
import { PastBudgets } from './past-budgets.js';
import { PriceCorrectionReports } from './price-correction-report.js';

/** However long it takes: {@link LongReads} takes care of the time. */
const NO_END = Number.POSITIVE_INFINITY;

/**
 * What a correction of prices would do, for any number of usage events: what a request has no time for goes on behind the answer, and who
 * asks the same again gets it. It is of everything that was in the ledger when it was first asked for, so the caller's own usage is in it;
 * `position` says how far it looked. One at a time: each holds a snapshot and its connection for as long as it reads.
 */
@Injectable()
export class PriceCorrectionDryRuns {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly reports: PriceCorrectionReports,
    private readonly moments: Moments,
    private readonly budgets: PastBudgets,
    private readonly long: LongReads,
  ) {}

  /** Throws 503 `counting` while it goes on, or waits for its turn, and `overloaded` while the projector is behind. */
  answer(tenant: string, listId: string, prices: readonly Price[]): Promise<Answer> {
    return this.long.current(['price-correction', tenant, listId, prices], async () => {
      await this.budgets.folded(await this.moments.head(tenant));
      const report = await this.#inTurn(() => this.reports.of(tenant, listId, prices, NO_END));
      return ok({ listId, dryRun: true, status: 'dry_run', correctionId: null, report, position: report?.position });
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    // Whoever comes next waits for the end, whatever it was; the failure is the caller's.
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
