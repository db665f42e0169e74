import { type BudgetDefinition, derivedId, formatInstant, NS_PER_MS } from '@bursar/contracts';
import { BudgetBody, type BudgetInput, BulkItem, parseWith, withCurrency } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { invalid, Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import type { BudgetCommand } from '../domain/budget.js';
import { CellError, type Cells, toBody, toCells } from '../domain/budget-csv.js';
import { Rejection } from '../domain/rejection.js';
import { type Answer, ok } from './answer.js';
import { readCsv } from './budget-lines.js';
import type { CommandContext } from './command-context.js';
import { DecidedBudget, type Placed } from './decided-budget.js';
import { SettingsOfTenant } from './settings-of-tenant.js';
import { Settled } from './settled.js';
import { BudgetTemplates, type Door } from './templates.js';

type Result = Readonly<{
  index: number;
  row?: number;
  status: 'created' | 'updated' | 'unchanged' | 'rejected';
  id: string | null;
  revision?: number;
  problem?: object;
}>;
/** What one of many asks for. Made late, so that what is wrong with it is its own refusal. */
type Wish = Readonly<{
  id: string | undefined;
  sent: unknown;
  create: () => BudgetInput;
  revise: (current: BudgetDefinition) => BudgetDefinition;
}>;
/** The same for all of them: the store's clock, the tenant's currency, and what its template says. */
type Given = Readonly<{ now: string; currency: string; door: Door }>;
type Done = Readonly<{ result: Result; outcome: Placed | null }>;

/** Decided at the same time: they meet in the store's group commit. */
const AT_ONCE = 64;

/** POST /budgets/bulk and /budgets/import (PRODUCT B13): each by the rules of one alone, and one that is refused sinks no other. */
@Injectable()
export class BulkBudgets {
  constructor(
    private readonly decided: DecidedBudget,
    private readonly settled: Settled,
    private readonly store: EventStore,
    private readonly settings: SettingsOfTenant,
    private readonly templates: BudgetTemplates,
  ) {}

  many(context: CommandContext, items: readonly unknown[]): Promise<Answer> {
    return this.#run(context, items.map(toWish));
  }

  /** Throws 400 for what is no CSV of budgets at all. */
  fromCsv(context: CommandContext, text: string): Promise<Answer> {
    const lines = readCsv(text);
    return this.#run(
      context,
      lines.map(
        ({ cells, row }) =>
          () =>
            lineWish(cells, row),
      ),
      lines.map(({ row }) => row),
    );
  }

  async #run(context: CommandContext, wishes: readonly (() => Wish)[], rows?: readonly number[]): Promise<Answer> {
    const now = formatInstant(BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS);
    const { currency } = await this.settings.of(context.tenant);
    const door = await this.templates.door(context.tenant, 'budget');
    const done: Done[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < wishes.length) {
        const index = next;
        next += 1;
        const wish = wishes[index];
        if (wish !== undefined) done[index] = await this.#one(context, index, wish, { now, currency, door });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    const places = done.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]));
    const last = places.reduce<Placed | null>((max, one) => (max === null || one.position > max.position ? one : max), null);
    if (last !== null) await this.settled.at(last);
    const results = done.map(({ result }, index) => ({ ...result, ...(rows !== undefined && { row: rows[index] }) }));
    return ok({ results }, last === null ? {} : { 'bursar-position': positionText(last.partition, last.position) });
  }

  /** A refusal is the result; a fault, or a store that does not answer, is everybody's: the same request may be sent again. */
  async #one(context: CommandContext, index: number, toWishOrThrow: () => Wish, given: Given): Promise<Done> {
    const own = { ...context, requestId: derivedId('bulk', context.requestId, String(index)) };
    let id: string | undefined;
    try {
      const wish = toWishOrThrow();
      id = wish.id;
      const command = this.#command(own, wish, given);
      const outcome = await this.decided.decide(own, command);
      const status = id === undefined ? 'created' : outcome.changed ? 'updated' : 'unchanged';
      return { result: { index, status, id: command.budgetId, revision: outcome.revision }, outcome };
    } catch (error) {
      const problem = refusal(error);
      if (problem === null) throw error;
      return { result: { index, status: 'rejected', id: id ?? null, problem: problem.toDocument(context.requestId) }, outcome: null };
    }
  }

  #command({ tenant, requestId }: CommandContext, { id, sent, create, revise }: Wish, { now, currency, door }: Given): BudgetCommand {
    if (id !== undefined) return { type: 'ChangeBudget', tenant, budgetId: id, revise, now };
    return {
      type: 'CreateBudget',
      tenant,
      budgetId: derivedId('budget', tenant, requestId),
      definition: withCurrency(door(sent, create()), currency),
    };
  }
}

const toWish = (item: unknown) => (): Wish => {
  const parsed = parseWith(BulkItem, item);
  if (!parsed.ok) throw invalid(parsed.errors);
  const { id, budget } = parsed.value;
  const { budget: sent } = item as { budget: unknown };
  return { id, sent, create: () => budget, revise: (current) => withCurrency(budget, current.limit.currency) };
};

/** Columns that the file lacks stay as they are. */
const lineWish = (cells: Cells | null, row: number): Wish => {
  if (cells === null) throw new Problem('wrong_type', `Line ${row} has another number of cells than the header.`);
  const { id = '', ...rest } = cells;
  const read = (all: Cells): BudgetInput => {
    const parsed = parseWith(BudgetBody, toBody(all));
    if (!parsed.ok) throw invalid(parsed.errors);
    return parsed.value;
  };
  return {
    id: id === '' ? undefined : id,
    sent: toBody(rest),
    create: () => read(rest),
    revise: (current) => withCurrency(read({ ...toCells(id, current), ...rest }), current.limit.currency),
  };
};

/** null: a fault, or nothing that trying this one alone again would not change. */
const refusal = (error: unknown): Problem | null => {
  if (error instanceof Problem) return error.status >= 500 || error.retryable ? null : error;
  if (error instanceof Rejection) return new Problem(error.code, error.message);
  if (!(error instanceof CellError)) return null;
  return new Problem('wrong_type', error.message, {
    errors: [{ pointer: `/${error.column}`, message: error.message, code: 'wrong_type' }],
  });
};
