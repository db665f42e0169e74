import type { LedgerEvent } from '@bursar/contracts';
import { parseInstant } from '@bursar/contracts';
import { currentPeriod } from '@bursar/contracts/folds';
import type { LeaseKey } from '@bursar/leases';
import { type Cause, isCause, isLifecycleCause } from '../domain/cause.js';
import { decideAlert } from '../domain/decide-alert.js';
import {
  isLitellmNotice,
  type LitellmNotice,
  litellmAlert,
  raisesAlert,
  scopeOfNotice,
  severityOfNotice,
} from '../domain/litellm-alert.js';
import type { AlertLedger, AlertTables, Budgets, Causes, Effect, Noticed, Raising, RecordedAlert, Standings } from './ports.js';

export type Recording = Readonly<{
  tables: AlertTables;
  ledger: AlertLedger;
  budgets: Budgets;
  causes: Causes;
  standings: Standings;
  noticed: Noticed;
  effects: readonly Effect[];
}>;

/**
 * The loop of a partition. What an event raises is appended to the ledger first, under an id that its cause gives it; what the ledger
 * says was raised is published, and recorded with the checkpoint in one transaction that follows behind the loop. So a process may die
 * anywhere: a batch that comes again raises the same again, which the store has, and records what it finds.
 */
export class RecordAlerts {
  readonly #begunAt = new Map<number, number>();

  constructor(private readonly recording: Recording) {}

  /** Where the partition begins for this process. */
  async startAfter(lease: LeaseKey): Promise<number> {
    const { budgets, tables, ledger } = this.recording;
    const { partition } = lease;
    budgets.forget(partition);
    const { position, begunAt } = await tables.begin(lease, await ledger.head(partition));
    this.#begunAt.set(partition, begunAt);
    return position;
  }

  /** Events in the order of the ledger, from the checkpoint on; those of no use here are left out. */
  async batch(partition: number, events: readonly LedgerEvent[], last: number, signal: AbortSignal): Promise<void> {
    const { tables, budgets, effects } = this.recording;
    for (const event of events) budgets.fold(event);
    const begunAt = this.#begunAt.get(partition) ?? 0;
    const batch = {
      partition,
      last,
      events: events.filter((event) => tables.concerns(event) || effects.some((effect) => effect.concerns(event))),
      alerts: events.flatMap((event) => (event.type === 'AlertRaised' ? [recorded(event, begunAt)] : [])),
    };
    if (batch.alerts.length > 0) for (const effect of effects) effect.raised(batch);
    await this.#raise(partition, events);
    await tables.record(batch, signal);
  }

  async #raise(partition: number, events: readonly LedgerEvent[]): Promise<void> {
    const crossed = events.flatMap((event) => (event.type === 'ThresholdCrossed' ? [event.data.causePosition] : []));
    const since = await this.recording.causes.recordedAt(partition, crossed);
    const raised = new Map<string, Raising[]>();
    for (const event of events) {
      const alert = isCause(event) ? await this.#decide(event, since) : isLitellmNotice(event) ? await this.#hear(event) : null;
      if (alert === null) continue;
      const { tenant } = event.meta;
      const ofTenant = raised.get(tenant) ?? [];
      raised.set(tenant, ofTenant);
      ofTenant.push(alert);
    }
    await Promise.all([...raised].map(([tenant, alerts]) => this.recording.ledger.raise(partition, tenant, alerts)));
  }

  /** `since`: when the events that took budgets over their thresholds were recorded. */
  async #decide(cause: Cause, since: ReadonlyMap<number, string>): Promise<Raising | null> {
    const { budgets, standings } = this.recording;
    const { tenant } = cause.meta;
    const { budgetId } = cause.data;
    const budget = budgetId === null ? null : await budgets.at(tenant, budgetId, cause.position);
    const standing = budget !== null && isLifecycleCause(cause) ? await standings.of(tenant, budget, parseInstant(cause.recordedAt)) : null;
    const at = cause.type === 'ThresholdCrossed' ? since.get(cause.data.causePosition) : undefined;
    const data = decideAlert(cause, { budget, standing, at: at ?? cause.recordedAt });
    return data === null ? null : { data, meta: cause.meta, causeId: cause.id };
  }

  async #hear(notice: LitellmNotice): Promise<Raising | null> {
    if (!raisesAlert(notice)) return null;
    const { noticed } = this.recording;
    const { position, recordedAt } = notice;
    const { tenant } = notice.meta;
    const scope = scopeOfNotice(notice);
    const severity = severityOfNotice(notice);
    const budget = scope === null ? null : await noticed.budgetOn(tenant, scope, position);
    const period = budget === null ? null : currentPeriod(budget.definition, parseInstant(recordedAt));
    const isSaid =
      budget !== null &&
      period !== null &&
      severity !== null &&
      (await noticed.hasCrossed(tenant, budget.budgetId, period.start, severity === 'critical', position));
    const data = litellmAlert(notice, { budget, isSaid });
    return data === null ? null : { data, meta: notice.meta, causeId: notice.id };
  }
}

const recorded = (
  { partition, position, revision, recordedAt, meta, data }: Extract<LedgerEvent, { type: 'AlertRaised' }>,
  begunAt: number,
): RecordedAlert => ({
  tenant: meta.tenant,
  partition,
  position,
  revision,
  raisedAt: recordedAt,
  meta,
  data,
  isOld: position <= begunAt,
});
