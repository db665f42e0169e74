import { htmlTemplateProblem, PLACEHOLDERS, type TemplateProblem, templateProblem, tenantStream } from '@bursar/contracts';
import { type MessageTemplate, NOTIFICATION_EVENTS, NotificationBook, ourTemplate } from '@bursar/contracts/folds';
import type { NotificationTemplateInput } from '@bursar/contracts/http';
import { invalid, Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import { type Aggregate, Streams } from '../adapters/store/streams.js';
import { type Answer, ok } from './answer.js';
import type { CommandContext } from './command-context.js';
import { SettingsOfTenant } from './settings-of-tenant.js';

const WORDS: Aggregate<NotificationBook> = {
  initial: () => new NotificationBook(),
  evolve: (templates, event) => {
    templates.apply(event);
    return templates;
  },
  live: false,
};

/** What notices of an event say (PRODUCT D6): read from the ledger itself, so words saved are in force for the next message. */
@Injectable()
export class NotificationTemplates {
  constructor(
    private readonly streams: Streams,
    private readonly settings: SettingsOfTenant,
  ) {}

  async get(tenant: string, event: string): Promise<Answer> {
    requireKnown(event);
    const { state } = await this.streams.load(tenantStream(tenant), tenant, WORDS);
    return ok(await this.#show(tenant, event, state));
  }

  /** Throws 400 for words that could not be filled in, or that would run something. */
  async save(context: CommandContext, event: string, input: NotificationTemplateInput): Promise<Answer> {
    requireKnown(event);
    const { subject, text, html } = input;
    const errors = [
      issueAt('/subject', templateProblem(subject)),
      issueAt('/text', text.trim() === '' ? BLANK : templateProblem(text)),
      issueAt('/html', html === undefined ? null : htmlTemplateProblem(html)),
    ].flat();
    if (errors.length > 0) throw invalid(errors);
    const template = { subject, text, ...(html !== undefined && { html }) };
    return this.#change(context, event, template);
  }

  /** The shipped words are in force again. What is so already records nothing. */
  async remove(context: CommandContext, event: string): Promise<Answer> {
    requireKnown(event);
    const { headers } = await this.#change(context, event, null);
    return { status: 204, ...(headers !== undefined && { headers }) };
  }

  async #change(context: CommandContext, event: string, template: MessageTemplate | null): Promise<Answer> {
    const outcome = await this.streams.transact(tenantStream(context.tenant), context, WORDS, ({ state }) =>
      template === null && state.get(event) === null ? [] : [{ type: 'NotificationTemplateSaved', data: { event, template } }],
    );
    return ok(await this.#show(context.tenant, event, outcome.state), {
      'bursar-position': positionText(outcome.partition, outcome.position),
    });
  }

  async #show(tenant: string, event: string, templates: NotificationBook) {
    const { profile } = await this.settings.of(tenant);
    const ours = ourTemplate(event, '', profile === 'tenant' ? profile : 'default');
    const own = templates.get(event);
    const { subject = '', text, html } = own ?? ours;
    return {
      event,
      subject,
      text,
      html: html ?? null,
      isDefault: own === null,
      shipped: { subject: ours.subject ?? '', text: ours.text },
      placeholders: PLACEHOLDERS,
    };
  }
}

const requireKnown = (event: string): void => {
  if (!NOTIFICATION_EVENTS.includes(event))
    throw new Problem('not_found', `There are no notices of that name; there are ${NOTIFICATION_EVENTS.join(', ')}.`);
};

const BLANK = { code: 'text_format', message: 'Blank' } as const;
const issueAt = (pointer: string, problem: TemplateProblem | typeof BLANK | null) => (problem === null ? [] : [{ pointer, ...problem }]);
