import type { RenderedMessage } from '../messages/render-message.js';

/** A message in every form it may take. */
export type Message = Readonly<{ subject: string; text: string; html: string; slack: RenderedMessage['slack'] }>;

/** How many notices of a kind were held back, and when. */
type HeldBack = Readonly<{ count: number; from: string; to: string }>;

/** The message of the last notice held back, as the summary of all of them. */
export const summarise = (message: Message, { count, from, to }: HeldBack): Message => {
  const line = `${count} more ${count === 1 ? 'notice' : 'notices'} of this kind since the last one (${span(from, to)}). This is the latest.`;
  return {
    subject: `[${count} more] ${message.subject}`,
    text: `${line}\n\n${message.text}`,
    html: message.html.includes('<body') ? message.html.replace(/(<body[^>]*>)/, `$1\n<p>${line}</p>`) : `<p>${line}</p>\n${message.html}`,
    slack: {
      text: `[${count} more] ${message.slack.text}`,
      blocks: [{ type: 'context', elements: [{ type: 'plain_text', text: line }] }, ...message.slack.blocks],
    },
  };
};

const span = (from: string, to: string): string => (from === to ? from : `${from} to ${to}`);
