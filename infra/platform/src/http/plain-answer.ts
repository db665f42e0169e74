import { STATUS_CODES } from 'node:http';
import type { KeptAnswer } from '@bursar/database';

/** What may not be in a header, as node has it: it could begin another. */
const INVALID = /[^\t\x20-\x7e\x80-\xff]/;

/** Throws where a header holds what it may not. */
export const judgeHeaders = (headers: Readonly<Record<string, string>>): void => {
  for (const name in headers) {
    if (INVALID.test(headers[name] as string)) throw new TypeError(`a value of the header ${name} cannot be sent`);
  }
};

/** An answer as it goes over the connection, with what node says of that. */
export const answerText = ({ status, headers, body }: KeptAnswer, keepAliveMs: number): string => {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  const goesOn =
    headers.connection === undefined ? `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1_000)}\r\n` : '';
  return `${head}Date: ${dateText()}\r\n${goesOn}\r\n${body}`;
};

let lastDate = { second: 0, text: '' };

/** The same for a second. */
const dateText = (): string => {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== lastDate.second) lastDate = { second, text: new Date(second * 1_000).toUTCString() };
  return lastDate.text;
};
