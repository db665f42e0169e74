import { alertStream, canonicalJson, contentHash, derivedId, EVENT_DEFINITIONS, type EventMeta } from '@bursar/contracts';
import type { EventStore, EventToAppend } from '@bursar/event-store';
import { AlertLedger, type Raising } from '../../features/ports.js';

/** As many as go on one bus message. */
const MAX_APPEND = 500;

/** Alerts in the event store, stream `alert-<tenant>`. */
export class StoreLedger extends AlertLedger {
  constructor(private readonly store: EventStore) {
    super();
  }

  async raise(partition: number, tenant: string, alerts: readonly Raising[]): Promise<void> {
    for (let from = 0; from < alerts.length; from += MAX_APPEND) {
      const events = alerts.slice(from, from + MAX_APPEND).map(toAppend);
      // One after the other: the stream's revisions are the order in which they were raised.
      const result = await this.store.append({ partition, stream: alertStream(tenant), events, expectedRevision: 'any' });
      if (!result.ok) throw new Error(`append to ${alertStream(tenant)} refused at revision ${result.revision}`);
    }
  }

  async head(partition: number): Promise<number> {
    const heads = await this.store.heads();
    return heads.find((head) => head.partition === partition)?.position ?? 0;
  }
}

const toAppend = ({ data, meta: { tenant, traceparent, tracestate }, causeId }: Raising): EventToAppend => {
  const meta: EventMeta = { tenant, actor: 'alerting', via: 'alerting', causationId: causeId, traceparent, tracestate };
  const { alertId, event, budgetId } = data;
  return {
    id: derivedId('alert', tenant, alertId),
    type: 'AlertRaised',
    version: EVENT_DEFINITIONS.get('AlertRaised')?.version ?? 1,
    data: canonicalJson(data),
    meta: JSON.stringify(meta),
    // Over what makes it this alert: raised again, with figures read later or words of a newer release, it is the same, and the first stands.
    contentHash: contentHash({ alertId, event, budgetId }),
  };
};
