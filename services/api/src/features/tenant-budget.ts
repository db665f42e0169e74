import { type BudgetDefinition, budgetStream, derivedId, formatInstant, NS_PER_MS, rootScope } from '@bursar/contracts';
import { BudgetBody, mergeBudget, parseWith, type TenantBudgetInput, type TenantOverrideInput, withCurrency } from '@bursar/contracts/http';
import type { Database } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { invalid, Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { budgetsOn } from '../adapters/sql/budgets.js';
import { firstSeen } from '../adapters/store/first-seen.js';
import { type Outcome, Streams } from '../adapters/store/streams.js';
import type { ActiveBudget, Budget } from '../domain/budget.js';
import { Rejection } from '../domain/rejection.js';
import { profileBody, profileOf, profilePatch } from '../domain/tenant-profile.js';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { BUDGET, DecidedBudget } from './decided-budget.js';
import type { IfMatch } from './if-match.js';
import { OverrideBudget } from './override-budget.js';
import { SettingsOfTenant } from './settings-of-tenant.js';
import { BudgetTemplates } from './templates.js';

/** The budget of a whole tenant by the tenant profile, and its overrides (PRODUCT B6, B10). It is a budget like any other besides. */
@Injectable()
export class TenantBudget {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly store: EventStore,
    private readonly streams: Streams,
    private readonly decided: DecidedBudget,
    private readonly overrides: OverrideBudget,
    private readonly settings: SettingsOfTenant,
    private readonly templates: BudgetTemplates,
  ) {}

  /** `ifMatch`: refuse with `precondition_failed` unless the budget is there at that ETag. */
  async put(context: CommandContext, input: TenantBudgetInput, ifMatch: IfMatch): Promise<Answer> {
    const { tenant } = context;
    const outcome = await this.#save(context, input, ifMatch);
    const { body, ...answer } = await this.decided.answer(tenant, outcome, 200);
    const definition = outcome.state.status === 'Active' ? outcome.state.definition : null;
    return { ...answer, body: { ...(body as object), ...(definition !== null && profileOf(tenant, definition)) } };
  }

  async grant(context: CommandContext, { overrideAmount, duration, reason }: TenantOverrideInput): Promise<Answer> {
    const budgetId = await this.#budgetOf(context.tenant);
    const { body, ...answer } = await this.overrides.grant(context, budgetId, { amount: { amount: overrideAmount }, duration, reason });
    return { ...answer, body: { ...(body as object), tenantId: context.tenant, budgetId } };
  }

  async revoke(context: CommandContext): Promise<Answer> {
    return this.overrides.revokeAll(context, await this.#budgetOf(context.tenant));
  }

  async #save(context: CommandContext, input: TenantBudgetInput, ifMatch: IfMatch): Promise<Outcome<Budget>> {
    const { budgetId, budget } = await this.#ours(context.tenant);
    if (budget !== null) return this.#change(context, budgetId, input, ifMatch);
    if (ifMatch !== null) throw new Rejection('precondition_failed', 'The tenant has no budget of this door yet.');
    try {
      return await this.#create(context, budgetId, input);
    } catch (error) {
      // Somebody else has made it meanwhile.
      if (error instanceof Rejection && error.code === 'already_exists') return this.#change(context, budgetId, input, null);
      throw error;
    }
  }

  async #create(context: CommandContext, budgetId: string, input: TenantBudgetInput): Promise<Outcome<Budget>> {
    const { tenant } = context;
    const [template, { currency }, createdAt] = await Promise.all([
      this.templates.named(tenant, 'tenant'),
      this.settings.of(tenant),
      firstSeen(this.store, this.db, tenant),
    ]);
    const parsed = parseWith(BudgetBody, profileBody(tenant, template, profilePatch(input), createdAt ?? (await this.#now())));
    if (!parsed.ok) throw invalid(parsed.errors);
    return this.decided.run(context, { type: 'CreateBudget', tenant, budgetId, definition: withCurrency(parsed.value, currency) });
  }

  async #change(context: CommandContext, budgetId: string, input: TenantBudgetInput, ifMatch: IfMatch): Promise<Outcome<Budget>> {
    const { tenant } = context;
    const now = await this.#now();
    const revise = (current: BudgetDefinition): BudgetDefinition => {
      const merged = mergeBudget(current, profilePatch(input));
      if (!merged.ok) throw invalid(merged.errors);
      return withCurrency(merged.value, current.limit.currency);
    };
    return this.decided.run(context, { type: 'ChangeBudget', tenant, budgetId, now, revise }, ifMatch);
  }

  /** The one this door made, or the id of the next: one that was deleted does not come back under its id. */
  async #ours(tenant: string): Promise<Readonly<{ budgetId: string; budget: ActiveBudget | null }>> {
    for (let generation = 0; ; generation += 1) {
      const budgetId = derivedId('tenant-budget', tenant, String(generation));
      const { state } = await this.streams.load(budgetStream(tenant, budgetId), tenant, BUDGET);
      if (state.status !== 'Deleted') return { budgetId, budget: state.status === 'Active' ? state : null };
    }
  }

  /** Without one of this door, the tenant's oldest budget on its root. Throws 404. */
  async #budgetOf(tenant: string): Promise<string> {
    const { budgetId, budget } = await this.#ours(tenant);
    if (budget !== null) return budgetId;
    const {
      rows: [oldest],
    } = await budgetsOn(this.db, tenant, [rootScope(tenant)], 1);
    if (oldest === undefined) throw new Problem('not_found', 'The tenant has no budget.');
    return oldest.budget_id;
  }

  async #now(): Promise<string> {
    return formatInstant(BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS);
  }
}
