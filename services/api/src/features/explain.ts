import { budgetStream, formatInstant, parsePicos, type ScopeRef, toWireMoney } from '@bursar/contracts';
import {
  type BudgetState,
  budgetAppliesAt,
  budgetsOnPath,
  chargedPath,
  convert,
  findBudget,
  type Settled,
  settledCharge,
  settledCost,
} from '@bursar/contracts/folds';
import type { ExplainBody } from '@bursar/contracts/http';
import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import type { z } from 'zod';
import { everDefinedOn } from '../adapters/sql/defined-budgets.js';
import { Holds } from '../adapters/sql/holds.js';
import { type Past, Pasts } from '../adapters/store/past.js';
import { type Loaded, Streams } from '../adapters/store/streams.js';
import { UsageWalk } from '../adapters/store/usage-walk.js';
import type { Budget } from '../domain/budget.js';
import type { BudgetAsOf } from '../domain/budget-as-of.js';
import { Contributors } from '../domain/contributors.js';
import { showApplied } from '../domain/explanation.js';
import type { Grant } from '../domain/override.js';
import { type Answer, ok } from './answer.js';
import { DecidedBeside } from './decided-beside.js';
import { BUDGET } from './decided-budget.js';
import { ExplainedSubjects, type Subject } from './explained-subject.js';
import { PastBudgets } from './past-budgets.js';
import type { Sender } from './usage-intake.js';
import { UsageScan } from './usage-scan.js';

type Since = Parameters<BudgetAsOf['status']>[0];
type Scene = Readonly<{ path: readonly ScopeRef[]; states: readonly BudgetState[]; settled: Settled | null; past: Past }>;

/**
 * Why something was decided, or what a recorded event did (PRODUCT C9): every budget that applied, with its figures at that position, the
 * usage that had filled it, and overrides that were over. From the ledger, by the folds that decided it.
 */
@Injectable()
export class Explain {
  constructor(
    private readonly holds: Holds,
    private readonly db: Kysely<Database>,
    private readonly subjects: ExplainedSubjects,
    private readonly pasts: Pasts,
    private readonly budgets: PastBudgets,
    private readonly streams: Streams,
    private readonly walk: UsageWalk,
    private readonly scan: UsageScan,
    private readonly decided: DecidedBeside,
  ) {}

  /** Throws 404 for what is not there, 400 past what one answer may read. */
  async execute(tenant: string, sender: Sender, body: z.output<typeof ExplainBody>): Promise<Answer> {
    const found = await this.subjects.find(tenant, sender, body);
    await this.budgets.folded(found.moment);
    const whole = await this.#scene(tenant, found);
    const scene = isForUser(sender) ? { ...whole, states: whole.states.filter(isVisible) } : whole;
    const subject = scene.states.some(({ budgetId }) => budgetId === found.decidedBy) || !isForUser(sender) ? found : undecided(found);
    const loaded = await this.budgets.load(tenant, scene.past, scene.states, subject.moment);
    const filled = await this.#fill(tenant, loaded.all, scene, subject);
    const since = await this.budgets.sinces(subject.moment, loaded, []);
    const beside = await this.#beside(tenant, found, loaded.all, since);
    const shown = await Promise.all(
      loaded.all.map(async (budget, index) => {
        const { state } = budget;
        return showApplied({
          budgetId: state.budgetId,
          definition: state.definition,
          status: budget.status(since, beside(state.budgetId)),
          amount: amountFor(state, scene, subject),
          isAsked: subject.usage === null,
          decided: state.budgetId === subject.decidedBy,
          grants: await this.#grants(tenant, state.budgetId),
          contributors: filled[index] ?? new Contributors(budget, scene.past, subject.moment.position),
          at: formatInstant(subject.moment.now),
          partition: subject.moment.partition,
        });
      }),
    );
    return ok({ ...headOf(subject, scene), budgets: shown });
  }

  /** Which budgets it concerned, as everything was defined at that position. */
  async #scene(tenant: string, subject: Subject): Promise<Scene> {
    const { moment, decidedBy } = subject;
    const about = subject.scopes.length === 0 && decidedBy !== null ? [decidedBy] : [];
    const { definitions } = await this.pasts.load(tenant, about);
    const own = about.flatMap((id) => findBudget(definitions, id, moment.position) ?? []);
    const scopes = subject.scopes.length > 0 ? subject.scopes : own.flatMap((budget) => budget.scopes);
    const named = [...scopes, ...(subject.usage?.data.allocation ?? []).map(({ scope }) => scope)];
    const path = chargedPath(definitions, named, moment.position);
    const past = await this.pasts.load(tenant, [...new Set([...(await everDefinedOn(this.db, tenant, path)), ...about])]);
    if (subject.usage !== null) (await this.holds.named(tenant, [subject.usage])).tell(past.definitions.holds, subject.usage);
    const settled = subject.usage === null ? null : settledCharge(subject.usage, past.definitions, past.arrivals, moment.position);
    const found = budgetsOnPath(past.definitions, settled?.charged.path ?? path, settled?.charged ?? subject, moment.position);
    const states = [...new Map([...found, ...own].map((state) => [state.budgetId, state])).values()];
    return { path, states: states.filter((state) => budgetAppliesAt(state, moment.now)), settled, past };
  }

  /** Adds the tenant's usage to the budgets, and notes what fills them. */
  async #fill(tenant: string, budgets: readonly BudgetAsOf[], { past }: Scene, { moment }: Subject): Promise<readonly Contributors[]> {
    const filled = budgets.map((budget) => new Contributors(budget, past, moment.position));
    const starts = budgets.flatMap(({ since }) => since ?? []);
    if (starts.length === 0) return filled;
    const since = starts.reduce((a, b) => (a < b ? a : b));
    for await (const { usage, corrections } of this.scan.usage(tenant, past, await this.walk.lastAt(tenant, moment.position), since)) {
      for (const [index, budget] of budgets.entries()) {
        budget.add(usage, corrections);
        filled[index]?.add(usage, corrections);
      }
    }
    return filled;
  }

  /** What each budget held for reservations that were decided before this and folded later; of what was counted, nothing. */
  async #beside(tenant: string, subject: Subject, budgets: readonly BudgetAsOf[], since: Since): Promise<(budgetId: string) => bigint> {
    const { kind, type, id, moment, allowed, decidedBy, room } = subject;
    const statuses = budgets.map((budget) => budget.status(since));
    const deciding = statuses.find(({ budgetId }) => budgetId === decidedBy);
    const lacking = room === undefined || deciding?.graceRemaining == null ? 0n : parsePicos(deciding.graceRemaining) - room;
    const isCheck = kind === 'check';
    if (allowed === null || (isCheck && lacking === 0n)) return () => 0n;
    const beside = await this.decided.since(moment.position, {
      tenant,
      reservationId: type === 'HoldsChanged' ? id : null,
      now: isCheck ? 0n : moment.now,
      lacking,
      decidedBy,
      starts: new Map(statuses.map(({ budgetId, periodStart }) => [budgetId, periodStart])),
    });
    // Of the one that decided, the decision itself says it.
    return (budgetId) => (budgetId === decidedBy && room !== undefined ? lacking : beside.on(budgetId));
  }

  async #grants(tenant: string, budgetId: string): Promise<readonly Grant[]> {
    const { state }: Loaded<Budget> = await this.streams.load(budgetStream(tenant, budgetId), tenant, BUDGET);
    return state.status === 'Active' ? state.grants : [];
  }
}

/** An answer to whoever merely spends says nothing of budgets that are not his to see, as that of a check (PRODUCT F3). */
const isForUser = ({ headers }: Sender): boolean => headers['bursar-audience']?.trim().toLowerCase() === 'user';
const isVisible = ({ definition }: BudgetState): boolean => definition.permissions.budgetVisibleToUser;
const undecided = (subject: Subject): Subject => ({ ...subject, decidedBy: null });

/** What is asked, or what was counted, in the budget's currency. */
const amountFor = (state: BudgetState, { settled, past }: Scene, { usage, amount, moment }: Subject): bigint | null => {
  const { definitions, arrivals } = past;
  if (usage !== null && settled !== null) {
    return settledCost(settled, usage, state, definitions, arrivals, moment.position)?.picos ?? null;
  }
  if (amount === null) return null;
  if (amount.currency === state.currency) return amount.picos;
  const picos = convert(definitions, amount, state.currency, moment.now, moment.position);
  return picos === 'rate_missing' ? null : picos;
};

const headOf = (subject: Subject, { path, settled }: Scene): object => {
  const { kind, id, type, moment, scopes, allowed, code, reason, decidedBy, count } = subject;
  const amount = subject.amount ?? settled?.charged.cost ?? null;
  return {
    subject: { kind, id, type },
    at: formatInstant(moment.now),
    position: `${moment.partition}:${moment.position}`,
    scopes,
    path,
    amount: amount === null ? null : toWireMoney(amount),
    allowed,
    code,
    reason,
    decidedBy,
    ...(count !== undefined && { count }),
  };
};
