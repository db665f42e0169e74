import { tenantStream } from '@bursar/contracts';
import { BudgetBody, type BudgetInput, parseWith, type TemplateBody } from '@bursar/contracts/http';
import { invalid, Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { positionText } from '../adapters/sql/snapshot.js';
import { type Aggregate, Streams } from '../adapters/store/streams.js';
import { type Template, Templates } from '../domain/templates.js';
import { type Answer, ok } from './answer.js';
import type { CommandContext } from './command-context.js';
import { Cursors } from './cursors.js';
import { type PageQuery, pageOf } from './paging.js';

const TEMPLATES: Aggregate<Templates> = {
  initial: () => new Templates(),
  evolve: (templates, event) => {
    templates.apply(event);
    return templates;
  },
  // Every budget that is made asks for the template of its door: only tails are read.
  live: true,
};

/** What a template leaves open, filled in so that all it says can be judged like a budget. */
const REST = { name: 'template', scope: 'team:any', limit: null, period: { kind: 'monthly' } };

/** A body as it was sent and as it was read, to what is to be made. */
export type Door = (sent: unknown, read: BudgetInput) => BudgetInput;

/** GET, POST and DELETE /templates, from the ledger itself: a template saved is there at once. */
@Injectable()
export class BudgetTemplates {
  constructor(
    private readonly streams: Streams,
    private readonly cursors: Cursors,
  ) {}

  async list(tenant: string, query: PageQuery): Promise<Answer> {
    const { state } = await this.streams.load(tenantStream(tenant), tenant, TEMPLATES);
    const all = state.list();
    const page = await pageOf(
      this.cursors,
      tenant,
      'templates',
      query,
      (after, limit) => Promise.resolve(all.filter(({ name }) => after === null || name > String(after[0])).slice(0, limit)),
      ({ name }) => [name],
      (template) => template,
    );
    return ok(page);
  }

  /** What a door makes budgets by. Throws 404 for a name that nothing has. */
  async named(tenant: string, name: string): Promise<Template> {
    const { state } = await this.streams.load(tenantStream(tenant), tenant, TEMPLATES);
    const template = state.byName.get(name);
    if (template === undefined) throw new Problem('not_found', 'There is no such template.');
    return template;
  }

  /** What the tenant's own template of a door adds to bodies; nothing while it is the shipped one. What it makes throws 400. */
  async door(tenant: string, name: 'budget'): Promise<Door> {
    const { builtIn, budget } = await this.named(tenant, name);
    return (sent, read) => {
      if (builtIn) return read;
      const parsed = parseWith(BudgetBody, { ...budget, ...(sent as object) });
      if (!parsed.ok) throw invalid(parsed.errors);
      return parsed.value;
    };
  }

  /** The shipped one of that name is there again. Throws 404 for one that the tenant did not save. */
  async remove(context: CommandContext, name: string): Promise<Answer> {
    const outcome = await this.streams.transact(tenantStream(context.tenant), context, TEMPLATES, ({ state }) => {
      const template = state.byName.get(name);
      if (template === undefined || template.builtIn) throw new Problem('not_found', 'There is no template of your own by that name.');
      return [{ type: 'TemplateRemoved', data: { name } }];
    });
    return { status: 204, headers: { 'bursar-position': positionText(outcome.partition, outcome.position) } };
  }

  /** Throws 400 for what no budget could be made of. */
  async save(context: CommandContext, { name, budget }: z.output<typeof TemplateBody>): Promise<Answer> {
    const complaints = complaintsOf(budget);
    if (complaints.length > 0) throw invalid(complaints.map((one) => ({ ...one, pointer: `/budget${one.pointer}` })));
    const { partition, position } = await this.streams.add(tenantStream(context.tenant), context, [
      { type: 'TemplateSaved', data: { name, budget } },
    ]);
    return { status: 201, body: { name, builtIn: false, budget }, headers: { 'bursar-position': positionText(partition, position) } };
  }
}

const complaintsOf = (budget: Readonly<Record<string, unknown>>) => {
  if (Object.hasOwn(budget, 'scope')) return [{ pointer: '/scope', message: 'A template has no scope', code: 'unknown_field' as const }];
  const parsed = parseWith(BudgetBody, { ...REST, ...budget });
  return parsed.ok ? [] : parsed.errors;
};
