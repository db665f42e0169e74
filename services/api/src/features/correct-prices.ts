import { setTimeout as delay } from 'node:timers/promises';
import { correctionAppliedId, derivedId, partitionOf, tenantStream } from '@bursar/contracts';
import type { PriceCorrectionInput } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import { Streams } from '../adapters/store/streams.js';
import { decidePriceCorrection } from '../domain/price-list.js';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { ListPrices } from './list-prices.js';
import { PriceCorrectionDryRuns } from './price-correction-dry-run.js';
import { PriceCorrectionReports } from './price-correction-report.js';
import { Settled } from './settled.js';

/** How long the report of a real run may take: it is not what matters. */
const REPORT_MS = 2_500;
/** From the request's begin, until usage is rerated, and until the projection shows it: within the 10 s of a request. */
const MAX_WAIT_MS = 6_000;
const MAX_SHOWN_MS = 8_000;
const POLL_MS = 40;

/**
 * POST /price-lists/:id/correct (PRODUCT J9). Once the correction is in the ledger it is in force for all usage that is rated from then on,
 * and whoever owns the partition rerates what was before, however often that is interrupted: the answer only waits for it a while.
 */
@Injectable()
export class CorrectPrices {
  constructor(
    private readonly lists: ListPrices,
    private readonly dryRuns: PriceCorrectionDryRuns,
    private readonly reports: PriceCorrectionReports,
    private readonly streams: Streams,
    private readonly store: EventStore,
    private readonly settled: Settled,
  ) {}

  /** Throws 404 for a list that is not there; of a dry run also 503 `counting` while it goes on: ask again. */
  async execute(context: CommandContext, listId: string, { prices, dryRun }: PriceCorrectionInput): Promise<Answer> {
    const { tenant, requestId } = context;
    const begun = performance.now();
    await this.lists.mustHave(tenant, listId);
    if (dryRun) return this.dryRuns.answer(tenant, listId, prices);
    const report = await this.reports.of(tenant, listId, prices, begun + REPORT_MS);
    const correctionId = derivedId('price-correction', tenant, requestId);
    const outcome = await this.streams.add(tenantStream(tenant), context, decidePriceCorrection(correctionId, listId, prices));
    const applied = await this.#applied(tenant, correctionId, begun + MAX_WAIT_MS);
    const place = { partition: outcome.partition, position: applied ?? outcome.position };
    await this.settled.at(place, Math.max(0, begun + MAX_SHOWN_MS - performance.now()));
    const position = positionText(place.partition, place.position);
    const status = applied === null ? 'applying' : 'applied';
    return { status: 200, body: { listId, dryRun, status, correctionId, report, position }, headers: { 'bursar-position': position } };
  }

  /** Where the ledger says that all usage is rerated; null: not in time. */
  async #applied(tenant: string, correctionId: string, until: number): Promise<number | null> {
    const partition = partitionOf(tenant, this.store.partitions);
    const id = correctionAppliedId(tenant, correctionId);
    for (;;) {
      const known = (await this.store.lookup(partition, [id])).get(id);
      if (known !== undefined) return known.position;
      if (performance.now() + POLL_MS > until) return null;
      await delay(POLL_MS);
    }
  }
}
