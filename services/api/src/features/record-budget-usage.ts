import { budgetStream, type ScopeRef } from '@bursar/contracts';
import { BudgetUsageBody, parseWith, readPosition, type SentUsage, UsageEvent } from '@bursar/contracts/http';
import { invalid, Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Streams } from '../adapters/store/streams.js';
import { AddUsageScope } from './add-usage-scope.js';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { BUDGET } from './decided-budget.js';
import { Settled } from './settled.js';
import { type Receipt, type Sender, UsageIntake } from './usage-intake.js';

type Body = Readonly<Record<string, unknown>>;

/** Usage that names no producer was told to us by its budget's address. */
const SOURCE = 'api';

/**
 * POST /budgets/:id/usage: one usage event on the budget's scope, recorded by ingestion like any other. Its id is `metadata.requestId`,
 * else the Idempotency-Key, else made. With the same cost through another budget it adds that budget's scope; another content under the
 * same (source, id) is 409 `idempotency_conflict`.
 */
@Injectable()
export class RecordBudgetUsage {
  constructor(
    private readonly streams: Streams,
    private readonly intake: UsageIntake,
    private readonly settled: Settled,
    private readonly addScope: AddUsageScope,
  ) {}

  async execute(context: CommandContext, budgetId: string, body: Body, sender: Sender): Promise<Answer> {
    const { state } = await this.streams.load(budgetStream(context.tenant, budgetId), context.tenant, BUDGET);
    if (state.status !== 'Active') throw new Problem('not_found', 'There is no such budget.');
    const { scope, members } = state.definition;
    const counted = members === undefined || members.includes(scope) ? scope : (members[0] ?? scope);
    const event = toEvent(body, counted, sender.idempotencyKey ?? context.requestId);
    const { status, eventId, position } = await this.#record(context, sender, event);
    const place = readPosition(position);
    if ('partition' in place) await this.settled.at(place);
    const answer = { eventId, id: event.id, source: event.source, status, budgetId, scopes: event.scopes, position };
    return { status: 201, body: answer, headers: { 'bursar-position': position } };
  }

  /** Recorded already, with the same cost and through another budget: this one's scope is added. */
  async #record(context: CommandContext, sender: Sender, event: SentUsage): Promise<Receipt> {
    try {
      return await this.intake.record(sender, event);
    } catch (error) {
      const added = error instanceof Problem && error.code === 'idempotency_conflict' ? await this.addScope.add(context, event) : null;
      if (added === null) throw error;
      return added;
    }
  }
}

const toEvent = (body: Body, scope: ScopeRef, madeId: string): SentUsage => {
  const sent = 'amount' in body ? longForm(body) : body;
  const requestId = isBody(sent.metadata) ? sent.metadata.requestId : undefined;
  // One that is no id is refused as the id it was meant to be: with a made one a retry would count twice.
  const id = sent.id ?? requestId ?? madeId;
  // Scopes of its own come after the budget's; what they are worth the schema says.
  const others: unknown = sent.scopes ?? [];
  const scopes = Array.isArray(others) ? [scope, ...others.filter((other) => other !== scope)] : others;
  return parsed(parseWith(UsageEvent, { source: SOURCE, ...sent, id, scopes }));
};

/** `modelId` names the model; the amount is the cost. */
const longForm = (body: Body): Body => {
  const { amount, currency, metadata, ...rest } = parsed(parseWith(BudgetUsageBody, body));
  const model = metadata?.modelId;
  return {
    ...rest,
    cost: { amount, ...(currency !== undefined && { currency }) },
    ...(metadata !== undefined && { metadata }),
    ...(typeof model === 'string' && { dimensions: { model } }),
  };
};

const parsed = <T>(reading: ReturnType<typeof parseWith<T>>): T => {
  if (!reading.ok) throw invalid(reading.errors);
  return reading.value;
};

const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null;
