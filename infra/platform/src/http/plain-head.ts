import type { RequestHead } from './exchange.js';

const REQUEST_LINE = /^([A-Z]+) (\/[!-~]*) HTTP\/1\.1$/;
const NAME = /^[A-Za-z0-9-]+$/;
const PRINTED = /^[ -~]+$/;

/** Headers by which a request is framed in another way, waits for something, or changes what the connection is; and one that node makes a list of. */
const OUT_OF_THE_ORDINARY = new Set([
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'proxy-connection',
  'keep-alive',
  'set-cookie',
]);

/**
 * The head of a request, up to the empty line, where there is one way only to read it; null for everything else, which is node's parser's to read or
 * to refuse. So there are no tabs, folded lines or bytes beyond ASCII, no header twice, and none that says how the connection goes on, except that it
 * does.
 */
export const readPlainHead = (text: string): RequestHead | null => {
  const [first = '', ...lines] = text.split('\r\n');
  const [, method, url] = REQUEST_LINE.exec(first) ?? [];
  if (method === undefined || url === undefined) return null;
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon === -1 || !PRINTED.test(line)) return null;
    const [sent, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    const name = sent.toLowerCase();
    if (!NAME.test(sent) || OUT_OF_THE_ORDINARY.has(name) || Object.hasOwn(headers, name)) return null;
    headers[name] = value;
  }
  const { host, connection = 'keep-alive' } = headers;
  return host === undefined || connection.toLowerCase() !== 'keep-alive' ? null : { method, url, headers };
};
