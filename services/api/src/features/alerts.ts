import {
  AlertAcknowledged,
  acknowledgementStream,
  contentHash,
  derivedId,
  type EventMeta,
  formatInstant,
  parseInstant,
  partitionOf,
} from '@bursar/contracts';
import { type AlertListQuery, showDelivery } from '@bursar/contracts/http';
import type { Database } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { type AlertRow, findAlert, tenantAlerts } from '../adapters/sql/alerts.js';
import { Checkpoints } from '../adapters/sql/checkpoints.js';
import { alertDeliveries } from '../adapters/sql/deliveries.js';
import { positionText } from '../adapters/sql/snapshot.js';
import { Installation } from '../installation.js';
import { showAlertRow } from './alert-view.js';
import { type Answer, ok } from './answer.js';
import type { CommandContext } from './command-context.js';
import { Cursors } from './cursors.js';
import { type PageQuery, pageOf } from './paging.js';

/** So long a reply waits until lists show what was acknowledged. It is in the ledger before. */
const MAX_WAIT_MS = 2_000;

/** A tenant's alerts (PRODUCT D2): the list, one, and that somebody has seen it. */
@Injectable()
export class Alerts {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly store: EventStore,
    private readonly checkpoints: Checkpoints,
    private readonly installation: Installation,
    private readonly cursors: Cursors,
  ) {}

  /** Newest first. `after`: those raised after a position, for whoever follows and was away. */
  async list(tenant: string, query: AlertListQuery): Promise<Answer> {
    const partition = partitionOf(tenant, this.installation.partitions);
    const { after, budgetId, type, severity, acknowledged } = query;
    if (after !== undefined && after.partition !== partition) throw elsewhere();
    const filter = { budgetId, type, severity, acknowledged, after: after?.position };
    const page = await pageOf(
      this.cursors,
      tenant,
      ['alerts', filter],
      query,
      (place, limit) => tenantAlerts(this.db, tenant, filter, limit, place === null ? null : Number(place[0])),
      ({ position }) => [position ?? 0],
      (row) => showAlertRow(row, partition),
    );
    return ok(page);
  }

  async one(tenant: string, alertId: string): Promise<Answer> {
    return ok(this.#show(tenant, await this.#find(tenant, alertId)));
  }

  /** Where it went, with every attempt. */
  async deliveries(tenant: string, alertId: string, query: PageQuery): Promise<Answer> {
    await this.#find(tenant, alertId);
    const page = await pageOf(
      this.cursors,
      tenant,
      ['deliveries', alertId],
      query,
      (place, limit) =>
        alertDeliveries(this.db, tenant, alertId, place === null ? null : { name: String(place[0]), id: String(place[1]) }, limit),
      (row) => [row.channel_name, row.delivery_id],
      showDelivery,
    );
    return ok(page);
  }

  /** By whom and when is said once: acknowledged again, it stays as it is. `budgetId`: 404 unless it is an alert of that budget. */
  async acknowledge(context: CommandContext, alertId: string, reason: string | null, budgetId?: string): Promise<Answer> {
    const { tenant } = context;
    const row = await this.#find(tenant, alertId);
    if (budgetId !== undefined && (row.data?.budgetId ?? row.crossing?.budgetId) !== budgetId) throw notThere();
    const { partition, position, at, by } = await this.#record(context, alertId, reason);
    await this.checkpoints.passed('alerting', partition, position, MAX_WAIT_MS);
    const shown = this.#show(tenant, {
      ...row,
      acknowledged_at: row.acknowledged_at ?? at,
      acknowledged_by: row.acknowledged_at === null ? by : row.acknowledged_by,
    });
    return ok(shown, { 'bursar-position': positionText(partition, position) });
  }

  /** One event per alert, for ever: its id says which. Answers what stands. */
  async #record({ tenant, actor, requestId, trace }: CommandContext, alertId: string, reason: string | null) {
    const partition = partitionOf(tenant, this.store.partitions);
    const stream = acknowledgementStream(tenant);
    const data = { alertId, reason };
    const meta: EventMeta = { tenant, actor, via: 'http', causationId: requestId, ...trace };
    const event = {
      id: derivedId('acknowledged', tenant, alertId),
      type: AlertAcknowledged.type,
      version: AlertAcknowledged.version,
      data: JSON.stringify(data),
      meta: JSON.stringify(meta),
      // Whoever comes second, for whatever reason, says the same.
      contentHash: contentHash({ alertId }),
    };
    const result = await this.store.append({ partition, stream, events: [event], expectedRevision: 'any' });
    const [outcome] = result.ok ? result.outcomes : [];
    if (outcome === undefined || outcome.status === 'conflict')
      throw new Error('an append without an expectation cannot be refused by one');
    const [stored] = await this.store.readStream(stream, outcome.revision, 1);
    if (stored === undefined) throw new Error('what was just appended is not there');
    const { actor: by = null } = JSON.parse(stored.meta) as EventMeta;
    return { partition, position: outcome.position, at: formatInstant(parseInstant(stored.recordedAt)), by };
  }

  async #find(tenant: string, alertId: string): Promise<AlertRow> {
    const row = await findAlert(this.db, tenant, alertId);
    if (row === undefined) throw notThere();
    return row;
  }

  #show(tenant: string, row: AlertRow) {
    return showAlertRow(row, partitionOf(tenant, this.installation.partitions));
  }
}

const notThere = (): Problem => new Problem('not_found', 'There is no such alert.');

const elsewhere = (): Problem => {
  const message = 'A position of another partition';
  return new Problem('position_format', message, { errors: [{ pointer: '/after', message, code: 'position_format' }] });
};
