import { type AlertRaisedData, fillTemplate } from '@bursar/contracts';
import { type MessageTemplate, ourTemplate, type Profile } from '@bursar/contracts/folds';
import { cut } from './cut.js';
import { htmlOf } from './html.js';
import { type SlackMessage, slackOf } from './slack.js';
import { type Driver, valuesOf } from './values.js';

export type MessageOptions = Readonly<{
  tenant: string;
  /** The tenant's own words for this event; absent or null: ours. */
  template?: MessageTemplate | null;
  profile?: Profile;
  /** Top drivers, largest first, as asked when the message is made. */
  drivers?: readonly Driver[];
}>;

/** `subject`: one line without control characters. */
export type RenderedMessage = Readonly<{
  text: { subject: string; text: string };
  html: { subject: string; text: string; html: string };
  slack: SlackMessage;
}>;
export type MessageFormat = keyof RenderedMessage;

/**
 * An alert as a person reads it. Pure. Whatever an alert carries (names, reasons, models) is text: it is escaped for HTML, for Slack's
 * mrkdwn, and can start no mail header; and what is put into a template is not read as a template again.
 */
export const renderMessage = <F extends MessageFormat>(alert: AlertRaisedData, format: F, options: MessageOptions): RenderedMessage[F] => {
  const { tenant, profile = 'default', drivers = [] } = options;
  const ours = ourTemplate(alert.event, alert.type, profile, alert.budgetId !== null);
  const template = options.template ?? ours;
  const values = valuesOf(tenant, alert, drivers);
  const subject = oneLine(fillTemplate(template.subject ?? ours.subject ?? '{{message}}', values, plain));
  const text = fillTemplate(template.text, values, plain);
  switch (format) {
    case 'text':
      return { subject, text } as RenderedMessage[F];
    case 'html':
      return { subject, text, html: htmlOf(alert.severity, subject, text, template.html, values) } as RenderedMessage[F];
    default:
      return slackOf(alert.severity, subject, text) as RenderedMessage[F];
  }
};

const plain = (value: string): string => value.replace(CONTROLS, ' ');

// C0, DEL, C1, line breaks, and the characters that turn the direction of what follows.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const MAX_SUBJECT = 200;

/** Nothing in a subject can end its header. */
const oneLine = (subject: string): string => cut(subject.replace(/\s+/g, ' ').trim(), MAX_SUBJECT);
