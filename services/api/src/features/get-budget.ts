import { partitionOf } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { budgetAlerts, type CausePlace } from '../adapters/sql/alerts.js';
import { findBudget } from '../adapters/sql/budgets.js';
import { Holds } from '../adapters/sql/holds.js';
import { type Moment, onSnapshot } from '../adapters/sql/snapshot.js';
import { loadStandings, type Standing } from '../adapters/sql/standings.js';
import { Installation } from '../installation.js';
import { showAlertRow } from './alert-view.js';
import { type Answer, etag, ok } from './answer.js';
import { showBudget, showStatus } from './budget-view.js';
import { Cursors, type Place } from './cursors.js';
import { showHold } from './hold-view.js';
import { type PageQuery, pageOf } from './paging.js';

/** Alerts shown with a budget: the last few (PRODUCT G2). */
const ALERTS_SHOWN = 5;

/** One budget: whole, its status alone, or its alerts. Each on one snapshot. */
@Injectable()
export class GetBudget {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly installation: Installation,
    private readonly cursors: Cursors,
    private readonly holds: Holds,
  ) {}

  whole(tenant: string, budgetId: string): Promise<Answer> {
    return this.#on(tenant, budgetId, async (standing, moment, trx) => {
      const alerts = await budgetAlerts(trx, tenant, budgetId, ALERTS_SHOWN);
      const body = { ...showBudget(standing, moment), alerts: alerts.map((row) => showAlertRow(row, moment.partition)) };
      return ok(body, { etag: etag(standing.budget.revision) });
    });
  }

  status(tenant: string, budgetId: string): Promise<Answer> {
    return this.#on(tenant, budgetId, async (standing, moment) => ok(showStatus(standing, moment)));
  }

  alerts(tenant: string, budgetId: string, query: PageQuery): Promise<Answer> {
    return this.#on(tenant, budgetId, async (_standing, moment, trx) => {
      const page = await pageOf(
        this.cursors,
        tenant,
        ['budget-alerts', budgetId],
        query,
        (after, limit) => budgetAlerts(trx, tenant, budgetId, limit, placeOf(after)),
        (row) => [row.cause_position, row.cause_index],
        (row) => showAlertRow(row, moment.partition),
      );
      return ok(page);
    });
  }

  reservations(tenant: string, budgetId: string, query: PageQuery): Promise<Answer> {
    return this.#on(tenant, budgetId, async (_standing, moment, trx) => {
      const page = await pageOf(
        this.cursors,
        tenant,
        ['budget-reservations', budgetId],
        query,
        (after, limit) => this.holds.openOn(trx, tenant, budgetId, holdPlaceOf(after), limit),
        (row) => [row.since, row.reservation_id],
        (row) => showHold(row, moment.partition),
      );
      return ok(page);
    });
  }

  #on(
    tenant: string,
    budgetId: string,
    show: (standing: Standing, moment: Moment, trx: Kysely<Database>) => Promise<Answer>,
  ): Promise<Answer> {
    return onSnapshot(this.db, partitionOf(tenant, this.installation.partitions), async (trx, moment) => {
      const budget = await findBudget(trx, tenant, budgetId);
      if (budget === undefined) throw new Problem('not_found', 'There is no such budget.');
      const [standing] = await loadStandings(trx, tenant, [budget], moment);
      if (standing === undefined) throw new Error('one budget has one standing');
      return show(standing, moment, trx);
    });
  }
}

const holdPlaceOf = (after: Place | null) => (after === null ? null : { since: Number(after[0]), reservationId: String(after[1]) });

const placeOf = (after: Place | null): CausePlace | null =>
  after === null ? null : { causePosition: Number(after[0]), causeIndex: Number(after[1]) };
