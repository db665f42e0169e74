import { Complaint, type Reading } from '../fields/complaint.js';
import { field } from '../fields/field.js';
import { readPlainText } from '../fields/text.js';

const MAX_EMAIL = 320;
// The dot-atom of RFC 5322 with the letters of RFC 6531, at a host name: no quoting, no comments, no lists, nothing a header would read.
const EMAIL = /^[^\s@<>()[\]\\,;:"]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,251}[\p{L}\p{N}])?$/u;

/** One address, `user@host`. */
export const emailAddress = field({ type: 'string', format: 'email', maxLength: MAX_EMAIL }, (value): Reading<string> => {
  const text = readPlainText(value, MAX_EMAIL);
  if (typeof text !== 'string') return text;
  return EMAIL.test(text) && !text.includes('..') ? text : new Complaint('email');
});

const PREFIX = 'whsec_';
const SECRET_BYTES = { least: 24, most: 64 };

/** A secret of Standard Webhooks. */
export const webhookSecret = field({ type: 'string', pattern: '^whsec_[A-Za-z0-9+/]{32,88}={0,2}$' }, (value): Reading<string> => {
  if (typeof value !== 'string') return new Complaint('wrong_type', 'Expected a string');
  const text = value.startsWith(PREFIX) ? value.slice(PREFIX.length) : '';
  if (text.length > 88 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return new Complaint('secret_format');
  const bytes = Buffer.from(text, 'base64');
  const whole = bytes.toString('base64') === text;
  return whole && bytes.length >= SECRET_BYTES.least && bytes.length <= SECRET_BYTES.most ? value : new Complaint('secret_format');
});

/** A directory or file name that is nothing else on any system. */
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

/** `alerts.ndjson`, `team/ml.ndjson`: a path below the tenant's own directory, from which no spelling leads out. */
export const filePath = (text: string | undefined): Complaint | string => {
  const segments = text?.split('/') ?? [];
  const fine = segments.length >= 1 && segments.length <= 5 && segments.every((segment) => SEGMENT.test(segment));
  return fine && text !== undefined
    ? text
    : new Complaint('target', 'A path of up to five names (letters, digits, . _ -) below the tenant’s directory');
};
