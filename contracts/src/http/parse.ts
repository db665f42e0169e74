import type { z } from 'zod';
import { type FieldError, type IssueCode, isIssueCode } from './problem.js';

export type Parsed<T> = Readonly<{ ok: true; value: T } | { ok: false; errors: readonly FieldError[] }>;

/** More errors than this help nobody, and a hostile body could ask for thousands. */
const MAX_ERRORS = 50;
const MAX_KEY = 64;

/** Parses a body, query or parameters, or lists what is wrong with them. Never throws and never quotes a value. */
export const parseWith = <T>(schema: z.ZodType<T, unknown>, value: unknown): Parsed<T> => {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, errors: fieldErrors(result.error.issues) };
};

/** zod's issues in the words of `errors[]`, in order. */
export const fieldErrors = (issues: readonly z.core.$ZodIssue[]): readonly FieldError[] => {
  const errors = issues.flatMap(toErrors);
  return errors.length > MAX_ERRORS ? errors.slice(0, MAX_ERRORS) : errors;
};

const toErrors = (issue: z.core.$ZodIssue): readonly FieldError[] => {
  if (issue.code !== 'unrecognized_keys') return [{ pointer: pointer(issue.path), message: message(issue), code: codeOf(issue) }];
  return issue.keys.map((key) => ({
    pointer: pointer([...issue.path, key]),
    message: `Unknown field ${JSON.stringify(clip(key))}`,
    code: 'unknown_field' as const,
  }));
};

/** RFC 6901; a key of the client's own making is clipped like any echo. */
export const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${clip(String(part)).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const clip = (key: string): string => (key.length > MAX_KEY ? `${key.slice(0, MAX_KEY)}…` : key);

const codeOf = (issue: z.core.$ZodIssue): IssueCode => {
  switch (issue.code) {
    case 'custom': {
      const code: unknown = issue.params?.code;
      return isIssueCode(code) ? code : 'not_allowed';
    }
    case 'invalid_type':
      return issue.input === undefined ? 'required' : 'wrong_type';
    case 'too_big':
      return issue.origin === 'array' || issue.origin === 'set' ? 'too_many' : issue.origin === 'string' ? 'too_long' : 'too_large';
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'set' ? 'too_few' : issue.origin === 'string' ? 'text_format' : 'too_small';
    case 'invalid_format':
      return 'text_format';
    default:
      return 'not_allowed';
  }
};

const message = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'custom') return issue.message;
  if (issue.code === 'invalid_type') return issue.input === undefined ? 'Missing' : `Expected ${issue.expected}`;
  if (issue.code === 'too_big') return `At most ${issue.maximum}`;
  if (issue.code === 'too_small') return `At least ${issue.minimum}`;
  return issue.message;
};
