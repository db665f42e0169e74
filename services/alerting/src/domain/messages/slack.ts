import type { AlertRaisedData } from '@bursar/contracts';
import { cut } from './cut.js';

/** Of an incoming webhook: `text` is what notifications show, `blocks` the message. */
export type SlackMessage = Readonly<{
  text: string;
  blocks: readonly Readonly<Record<string, unknown>>[];
}>;

const SIGNS = { info: ':information_source:', warning: ':warning:', critical: ':rotating_light:' } as const;
/** Slack's limits of a header, and of a section's text. */
const MAX_HEADER = 150;
const MAX_SECTION = 3_000;

/** Block Kit. Nothing in it mentions anybody, links anywhere or is formatted: it is the text, escaped. */
export const slackOf = (severity: AlertRaisedData['severity'], subject: string, text: string): SlackMessage => ({
  text: `${SIGNS[severity]} ${escapeMrkdwn(subject)}`,
  blocks: [
    { type: 'header', text: { type: 'plain_text', text: cut(subject, MAX_HEADER), emoji: false } },
    { type: 'section', text: { type: 'mrkdwn', text: `${SIGNS[severity]} ${cutEscaped(text)}`, verbatim: true } },
  ],
});

/** The three characters that Slack reads: with them escaped there is no mention, link or entity. A zero-width space parts what would be formatting. */
export const escapeMrkdwn = (text: string): string =>
  text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/([*_~`])/g, '\u200b$1\u200b');

/** Escaping makes it longer: cut before, until it fits. */
const cutEscaped = (text: string): string => {
  for (let most = MAX_SECTION - 40; ; most = Math.floor(most * 0.8)) {
    const escaped = escapeMrkdwn(cut(text, most));
    if (escaped.length <= MAX_SECTION - 40) return escaped;
  }
};
