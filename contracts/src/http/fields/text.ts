import type { z } from 'zod';
import { characters, isPlainText } from '../../values/scope.js';
import { Complaint, type Reading } from './complaint.js';
import { type Field, field } from './field.js';

/** One line of printable ASCII without outer white space: the common case, decided without counting characters. */
const ASCII = /^[!-~](?:[ -~]*[!-~])?$/;
// NUL and unpaired surrogates: PostgreSQL stores neither in text nor in jsonb.
const UNSTORABLE = /\u0000|\p{Surrogate}/u;

/** Ids and names of things: 1 to `max` characters, any Unicode but control characters, not only white space. Kept as sent. */
export const readPlainText = (value: unknown, max: number): Reading<string> => {
  if (typeof value !== 'string') return new Complaint('wrong_type', 'Expected a string');
  if (value.length <= max && ASCII.test(value)) return value;
  const text: string = value;
  if (isPlainText(value, max)) return value;
  if (text.length > max * 2 || characters(text) > max) return new Complaint('too_long', `Longer than ${max} characters`);
  return new Complaint('text_format');
};

/** Labels and prose: up to `max` characters, line breaks and tabs too, whatever is said in them is only ever shown escaped. */
export const readFreeText = (value: unknown, max: number): Reading<string> => {
  if (typeof value !== 'string') return new Complaint('wrong_type', 'Expected a string');
  if (value.length > max && (value.length > max * 2 || characters(value) > max)) {
    return new Complaint('too_long', `Longer than ${max} characters`);
  }
  return UNSTORABLE.test(value) ? new Complaint('text_format', 'Holds NUL or half a surrogate pair') : value;
};

export const readLabel = (value: unknown, max: number): Reading<string> => {
  const text = readFreeText(value, max);
  return typeof text === 'string' && text.trim() === '' ? new Complaint('text_format', 'Empty or blank') : text;
};

export const plainText = (max: number, description?: string): Field<string> =>
  field({ type: 'string', minLength: 1, maxLength: max, ...(description && { description }) }, (value) => readPlainText(value, max));

export const freeText = (max: number): Field<string> => field({ type: 'string', maxLength: max }, (value) => readFreeText(value, max));

/** {@link freeText} that may be left out: a form that was left blank left it out too, so nobody reads of it. */
export const remark = (max: number): z.ZodOptional<Field<string | undefined>> =>
  field({ type: 'string', maxLength: max }, (value) => {
    const text = readFreeText(value, max);
    return typeof text === 'string' && text.trim() === '' ? undefined : text;
  }).optional();

/** {@link freeText} that says something. */
export const label = (max: number): Field<string> =>
  field({ type: 'string', minLength: 1, maxLength: max }, (value) => readLabel(value, max));

/** One of a closed list. */
export const oneOf = <const T extends string>(...allowed: readonly T[]): Field<T> =>
  field({ type: 'string', enum: [...allowed] }, (value) => {
    if (typeof value !== 'string') return new Complaint('wrong_type', 'Expected a string');
    return allowed.find((one) => one === value) ?? new Complaint('not_allowed', `Expected one of ${allowed.join(', ')}`);
  });

export const flag: Field<boolean> = field({ type: 'boolean' }, (value) =>
  typeof value === 'boolean' ? value : new Complaint('wrong_type', 'Expected true or false'),
);
