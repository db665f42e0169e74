import type { LedgerEvent } from '@bursar/contracts';
import { planPriced, planRated } from '../../domain/fold-usage.js';
import { settlePriced } from '../../domain/holds/fold-holds.js';
import { tell } from '../../domain/holds/hold.js';
import type { TenantFold } from '../../domain/tenant-fold.js';
import type { Waiting } from '../../domain/waiting.js';
import type { ProjectionTables } from '../projection-tables.js';
import type { OpenChanges } from './open-changes.js';
import type { ReservationsFold } from './reservations.js';

const PAGE = 1_000;

/** Usage that waited is charged at the position where its price or rate came in: all that the tables have, which is all there is. */
export const settleWaiting = async (
  tables: Pick<ProjectionTables, 'waiting'>,
  open: OpenChanges,
  reservations: ReservationsFold,
  tenant: TenantFold,
  reason: Waiting['reason'],
  event: LedgerEvent,
): Promise<void> => {
  for (let after = 0; ; ) {
    const page = await tables.waiting('budget', tenant.tenant, reason, after, PAGE);
    const holds = await reservations.named(tenant, page);
    const plans = page.flatMap((waiting) => {
      const hold = holds.get(waiting.position) ?? null;
      if (hold !== null) tell(tenant.history, hold);
      const plan = open.attempt({ ...event, position: waiting.position }, () =>
        waiting.reason === 'price' ? planPriced(tenant, waiting, event) : planRated(tenant, waiting, event),
      );
      return plan === null ? [] : [{ plan, waiting, hold }];
    });
    await open.memory.load(plans.flatMap(({ plan }) => plan.postings));
    for (const { plan, waiting, hold } of plans) {
      const isIn = open.apply(plan, waiting.position);
      if (!isIn || hold === null) continue;
      if (waiting.reason === 'price' && plan.charged !== undefined)
        settlePriced(tenant, hold, waiting.event, plan.charged, event, open.now);
      if (waiting.reason === 'rate' || hold.settledBy === waiting.event.id) reservations.settleAwaited(tenant, hold, plan, event);
    }
    after = page.at(-1)?.position ?? after;
    if (page.length < PAGE) return;
  }
};
