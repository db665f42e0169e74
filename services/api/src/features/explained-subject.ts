import {
  type EventOf,
  fromWireMoney,
  type HoldGranted,
  type LedgerEvent,
  type Money,
  parseInstant,
  parsePicos,
  refusalEventId,
  type ScopeRef,
} from '@bursar/contracts';
import { originalOf } from '@bursar/contracts/folds';
import { ExplainBody, PROBLEM_CODES, PROBLEMS, readPosition } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { Holds } from '../adapters/sql/holds.js';
import { FoundEvents } from '../adapters/store/found-events.js';
import { Moments } from '../adapters/store/moments.js';
import type { Then } from '../domain/budget-as-of.js';
import { OwnerChecks } from './owner-checks.js';
import { PastBudgets } from './past-budgets.js';
import { RefusalBehind } from './refusal-behind.js';
import { SettingsOfTenant } from './settings-of-tenant.js';
import type { Sender } from './usage-intake.js';

type Body = z.output<typeof ExplainBody>;
type Kind = 'decision' | 'event' | 'alert' | 'check';

/** What is explained: a moment, whom it concerned, and what was decided there. */
export type Subject = Readonly<{
  kind: Kind;
  id: string | null;
  /** Of the event it is about. */
  type: LedgerEvent['type'] | null;
  moment: Then;
  scopes: readonly ScopeRef[];
  category?: string;
  dimensions?: Readonly<Record<string, string>>;
  /** null: it is about no amount, or it is what the usage came to. */
  amount: Money | null;
  allowed: boolean | null;
  code: string | null;
  reason: string | null;
  decidedBy: string | null;
  /** Room that the owner saw on the budget that decided, in picos: other decisions, on their way to the ledger, had taken theirs. */
  room?: bigint;
  count?: number;
  /** Usage that was recorded, rather than asked for: who counted it, and how much of it. */
  usage: EventOf<'UsageRecorded'> | null;
}>;

/** A decision that another follows at once is asked for again so often. */
const MOST_TRIES = 3;

/** Finds what a request asks to be explained. */
@Injectable()
export class ExplainedSubjects {
  constructor(
    private readonly found: FoundEvents,
    private readonly owner: OwnerChecks,
    private readonly store: EventStore,
    private readonly settings: SettingsOfTenant,
    private readonly holds: Holds,
    private readonly moments: Moments,
    private readonly budgets: PastBudgets,
    private readonly behind: RefusalBehind,
  ) {}

  /** Throws 404 for what is not in the tenant's ledger, or says nothing of budgets; for a refusal's id once it has not come for 2 s. */
  async find(tenant: string, sender: Sender, body: Body): Promise<Subject> {
    const { decisionId, eventId, alertId } = body;
    if (decisionId !== undefined) return this.#decision(tenant, decisionId);
    if (eventId !== undefined) return this.#of(tenant, 'event', eventId, await this.found.byId(tenant, eventId));
    if (alertId !== undefined) return this.#of(tenant, 'alert', alertId, await this.found.alert(tenant, alertId));
    return this.#asked(tenant, sender, body);
  }

  /** A refusal by the id that its answer gave it, a grant by that of its reservation: on what its owner knew, so before its own position. */
  async #decision(tenant: string, decisionId: string): Promise<Subject> {
    const head = await this.moments.head(tenant);
    const refused = await this.found.byId(tenant, refusalEventId(tenant, decisionId));
    if (refused !== null) return this.#of(tenant, 'decision', decisionId, refused);
    // Granted a moment ago, it is in the ledger and may not be in the tables.
    await this.budgets.folded(head);
    const grant = await this.holds.granted(tenant, decisionId);
    if (grant !== null) return granted(grant, head.partition);
    return this.#of(tenant, 'decision', decisionId, await this.behind.comes(tenant, decisionId, head));
  }

  async #now(): Promise<bigint> {
    return BigInt(Math.trunc(await this.store.clock())) * 1_000_000n;
  }

  /** As the owner decides it now; explained as of the position it was decided on. */
  async #asked(tenant: string, sender: Sender, { scopes = [], amount = '0', currency, category, dimensions }: Body): Promise<Subject> {
    const filter = { ...(category !== undefined && { category }), ...(dimensions !== undefined && { dimensions }) };
    const ask = async () =>
      (await this.owner.check(sender, { scopes, amount, ...(currency !== undefined && { currency }), ...filter })).answer;
    let answer = await ask();
    let now = await this.#now();
    // What time alone changes between the decision and the clock, the end of an override say, would be shown beside a decision that knew nothing of it.
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const again = await ask();
      if (again.allowed === answer.allowed && again.budgetId === answer.budgetId) break;
      answer = again;
      now = await this.#now();
    }
    const at = readPosition(answer.position);
    if (!('partition' in at)) throw new Error('the owner named no position');
    return {
      kind: 'check',
      id: null,
      type: null,
      moment: { ...at, now },
      scopes,
      ...filter,
      amount: { picos: parsePicos(amount), currency: currency ?? (await this.settings.of(tenant)).currency },
      allowed: answer.allowed,
      code: answer.code ?? null,
      reason: answer.reason ?? null,
      decidedBy: answer.budgetId ?? null,
      ...(answer.graceRemaining != null && { room: parsePicos(answer.graceRemaining) }),
      usage: null,
    };
  }

  async #of(tenant: string, kind: Kind, id: string, event: LedgerEvent | null): Promise<Subject> {
    if (event === null) throw nothing(kind);
    const open = { kind, id, type: event.type, amount: null, allowed: null, code: null, reason: null, decidedBy: null, usage: null };
    const moment = momentOf(event);
    switch (event.type) {
      case 'UsageRecorded':
        return { ...open, moment, scopes: event.data.scopes, usage: event };
      case 'UsageVoided':
      case 'UsageRerated':
        return { ...open, moment, scopes: event.data.original.data.scopes, usage: originalOf(event) };
      case 'UsageRefused':
        return { ...open, ...refusal(event) };
      case 'ThresholdCrossed':
      case 'ThresholdCleared':
        return this.#caused(tenant, { ...open, moment, scopes: [], decidedBy: event.data.budgetId }, event.data.causePosition);
      case 'BudgetPaused':
        if (event.data.automatic !== undefined) {
          return this.#caused(tenant, { ...open, moment, scopes: [], decidedBy: event.data.budgetId }, event.data.automatic.causePosition);
        }
        return { ...open, moment, scopes: [], decidedBy: event.data.budgetId };
      default:
        if (!('budgetId' in event.data) || typeof event.data.budgetId !== 'string') throw nothing(kind);
        return { ...open, moment, scopes: [], decidedBy: event.data.budgetId };
    }
  }

  /** What was decided in a fold is explained by the event that was folded. */
  async #caused(tenant: string, subject: Subject, causePosition: number): Promise<Subject> {
    const cause = await this.found.at(tenant, causePosition);
    if (cause === null) return subject;
    const usage = cause.type === 'UsageRecorded' ? cause : null;
    return { ...subject, moment: momentOf(cause), scopes: usage?.data.scopes ?? [], usage };
  }
}

const refusal = ({ data, partition }: EventOf<'UsageRefused'>): Omit<Subject, 'kind' | 'id' | 'type'> => ({
  moment: { partition, position: data.position, now: parseInstant(data.refusedAt) },
  scopes: data.scopes,
  ...(data.category !== undefined && { category: data.category }),
  ...(data.dimensions !== undefined && { dimensions: data.dimensions }),
  amount: data.amount === null ? null : fromWireMoney(data.amount),
  allowed: false,
  code: data.code,
  reason: reasonOf(data),
  decidedBy: data.budgetId,
  ...roomThen(data),
  count: data.count,
  usage: null,
});

/** In general: the event has the figures, not the sentence that was made of them. */
const reasonOf = ({ code, unpriced = [] }: EventOf<'UsageRefused'>['data']): string | null => {
  if (code === 'price_missing') return `No price covers: ${unpriced.join(', ')}.`;
  const known = PROBLEM_CODES.find((one) => one === code);
  return known === undefined ? null : `${PROBLEMS[known].title}.`;
};

const roomThen = ({ blockPoint, currentSpend, reserved }: EventOf<'UsageRefused'>['data']): Pick<Subject, 'room'> =>
  blockPoint === null || currentSpend === null || reserved === null
    ? {}
    : { room: parsePicos(blockPoint.amount) - parsePicos(currentSpend.amount) - parsePicos(reserved.amount) };

/** What was left by the grant, and the grant. */
const roomBefore = ({ tightest, budgets }: HoldGranted): Pick<Subject, 'room'> => {
  if (tightest === null || tightest.graceRemaining === null) return {};
  const own = budgets.find(({ budgetId }) => budgetId === tightest.budgetId)?.amount ?? '0';
  return { room: parsePicos(tightest.graceRemaining) + parsePicos(own) };
};

const granted = (grant: HoldGranted, partition: number): Subject => ({
  kind: 'decision',
  id: grant.reservationId,
  type: 'HoldsChanged',
  moment: { partition, position: grant.decidedAt, now: parseInstant(grant.grantedAt) },
  scopes: grant.path,
  ...(grant.category !== undefined && { category: grant.category }),
  ...(grant.dimensions !== undefined && { dimensions: grant.dimensions }),
  amount: fromWireMoney(grant),
  allowed: true,
  code: null,
  reason: null,
  decidedBy: grant.tightest?.budgetId ?? null,
  ...roomBefore(grant),
  usage: null,
});

/** At the event's own position. Of usage the moment it happened is what counts: its period is the one it fell into. */
const momentOf = ({ partition, position, recordedAt, ...event }: LedgerEvent): Then => ({
  partition,
  position,
  now: parseInstant(event.type === 'UsageRecorded' ? event.data.occurredAt : recordedAt),
});

const nothing = (kind: Kind): Problem => new Problem('not_found', `There is no such ${kind} to explain.`);
