import { STATUS_CODES } from 'node:http';
import type { WholeAnswer } from './exchange.js';

/** What may not be in a header, as node has it: it could begin another. */
const INVALID = /[^\t\x20-\x7e\x80-\xff]/;

/** An answer as it goes over the connection, with what node says of that. Throws where a header holds what it may not. */
export const answerText = ({ status, headers, body, length }: WholeAnswer, keepAliveMs: number): string => {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
  for (const some of headers) {
    for (const name in some) {
      const value = some[name] as string;
      if (INVALID.test(value)) throw new TypeError(`a value of the header ${name} cannot be sent`);
      text += `${name}: ${value}\r\n`;
    }
  }
  if (length !== null) text += `content-length: ${length}\r\n`;
  const goesOn = isLast(headers) ? '' : `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1_000)}\r\n`;
  return `${text}Date: ${dateText()}\r\n${goesOn}\r\n${body}`;
};

/** Does it say so itself? */
export const isLast = (headers: WholeAnswer['headers']): boolean => headers.some(({ connection }) => connection !== undefined);

let lastDate = { second: 0, text: '' };

/** The same for a second. */
const dateText = (): string => {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== lastDate.second) lastDate = { second, text: new Date(second * 1_000).toUTCString() };
  return lastDate.text;
};
