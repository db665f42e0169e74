import { voidEventId, type WireMoney } from '@bursar/contracts';
import { tenantSettings } from '@bursar/contracts/folds';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { adjustmentEvent } from '../domain/correcting-events.js';
import { PriceLists } from './ports.js';
import { RecordedUsages, type Said } from './recorded-usages.js';
import type { UsageSender } from './sender.js';

/** What became of an adjustment; the same request again is a `duplicate`. */
export type AdjustReceipt = Said & Readonly<{ eventId: string; adjustmentEventId: string; cost: WireMoney }>;

/** States another cost for recorded usage by another event (PRODUCT A8); the ledger keeps both. */
@Injectable()
export class AdjustUsage {
  constructor(
    private readonly usages: RecordedUsages,
    private readonly prices: PriceLists,
  ) {}

  /**
   * `correctionId` names the request. Throws 404 when the tenant has no such usage, 409 `usage_voided`. A void that comes in at the same
   * time stands, whichever is first: after it an adjustment changes nothing, and it takes back what an adjustment before it made.
   */
  async execute(
    eventId: string,
    { cost, reason }: Readonly<{ cost: Readonly<{ amount: string; currency?: string }>; reason: string }>,
    correctionId: string,
    sender: UsageSender,
  ): Promise<AdjustReceipt> {
    const { tenant } = sender;
    const recorded = await this.usages.find(tenant, eventId);
    if (recorded === null) throw new Problem('not_found', 'There is no such usage.');
    const stated = { currency: tenantSettings(await this.prices.of(tenant)).currency, ...cost };
    const event = adjustmentEvent(tenant, recorded, { correctionId, cost: stated, reason });
    if (await this.usages.isRecorded(tenant, voidEventId(tenant, recorded.id))) {
      throw new Problem('usage_voided', 'The usage was voided; record what it should have been under another id.');
    }
    const { status, position: first } = await this.usages.say(event, sender);
    let position = first;
    for (const addition of await this.usages.additions(tenant, recorded.id)) {
      ({ position } = await this.usages.say(adjustmentEvent(tenant, addition, { correctionId, cost: stated, reason }), sender));
    }
    return { eventId: recorded.id, status, adjustmentEventId: event.id, cost: stated, position };
  }
}
