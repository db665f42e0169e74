import type { IncomingHttpHeaders } from 'node:http';

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const MEDIA_TYPE = new RegExp(`^(${TOKEN}/${TOKEN}) *(?:; *charset *= *("?)([A-Za-z0-9-]+)\\2 *)?;?$`, 'i');

/**
 * The media type of a Content-Type that says JSON text in UTF-8 in so many words; null for everything else. Strict on purpose: a tab, a second
 * parameter or another charset is not guessed at (CVE-2026-25223, CVE-2025-32442: parser and validator read the header differently).
 */
export const readMediaType = (header: string | undefined): string | null => {
  if (header === undefined || header.length > 256) return null;
  const match = MEDIA_TYPE.exec(header);
  const [, type, , charset] = match ?? [];
  if (type === undefined || (charset !== undefined && charset.toLowerCase() !== 'utf-8')) return null;
  return type.toLowerCase();
};

/** True when the request carries or announces a body. */
export const hasBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0');

/** True for JSON and its kin (`+json`); false for CSV, lines of JSON and what else a route may read. */
export const isJson = (headers: IncomingHttpHeaders): boolean => {
  const type = readMediaType(headers['content-type']);
  return type === 'application/json' || (type?.endsWith('+json') ?? false);
};

/** Only bodies as they are: whoever accepts compressed ones must bound what they unpack to (IN-A13). */
export const isIdentity = (headers: IncomingHttpHeaders): boolean => {
  const encoding = headers['content-encoding'];
  return encoding === undefined || encoding.toLowerCase() === 'identity';
};
