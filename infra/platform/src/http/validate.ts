import { type FieldError, type IssueCode, isIssueCode } from '@bursar/contracts/http';
import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { Problem, shown } from './problem.js';

type Issue = z.core.$ZodIssue;

/** What the schema makes of the value, or a 400 {@link Problem} that lists all that is wrong, each with an RFC 6901 pointer. */
export const validate = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  if (value === undefined) throw new Problem('empty_body');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    if (parsed.error.issues.some((issue) => issue.path.length === 0)) throw new Problem('not_an_object');
  }
  throw invalid(fieldErrors(parsed.error.issues, value));
};

/** The refusal for field errors: it takes the first one's code, and says all. */
export const invalid = (errors: readonly FieldError[]): Problem => {
  const [first] = errors;
  if (first === undefined) return new Problem('bad_request');
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  return new Problem(first.code, `${first.pointer === '' ? '' : `${first.pointer}: `}${first.message}${more}`, { errors });
};

/** Validates a parameter of a Nest handler: `@Body(new ZodPipe(CreateBudget)) body`, the same for `@Query` and `@Param`. */
export class ZodPipe<S extends z.ZodType> implements PipeTransform<unknown, z.output<S>> {
  constructor(private readonly schema: S) {}
  transform(value: unknown): z.output<S> {
    return validate(this.schema, value);
  }
}

/** At most so many errors are listed: a body of 4 MB of unknown keys is not answered with as much. */
const MAX_ERRORS = 100;

export const fieldErrors = (issues: readonly Issue[], input: unknown): readonly FieldError[] =>
  issues.flatMap((issue) => fieldErrorsOf(issue, [], input)).slice(0, MAX_ERRORS);

const fieldErrorsOf = (issue: Issue, prefix: readonly PropertyKey[], input: unknown): readonly FieldError[] => {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerOf([...path, key]), message: `unknown field ${shown(key)}`, code: 'unknown_field' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return closest(issue.errors).flatMap((inner) => fieldErrorsOf(inner, path, input));
  }
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    return issue.issues.flatMap((inner) => fieldErrorsOf({ ...inner, path: [] } as Issue, path, input));
  }
  return [{ pointer: pointerOf(path), message: issue.message, code: codeOf(issue, path, input) }];
};

/** Of a union's branches the one that got furthest: the deepest issue, then the fewest issues. */
const closest = (branches: readonly (readonly Issue[])[]): readonly Issue[] => {
  const depth = (issues: readonly Issue[]): number => Math.max(...issues.map((issue) => issue.path.length));
  return branches.reduce((best, next) =>
    depth(next) > depth(best) || (depth(next) === depth(best) && next.length < best.length) ? next : best,
  );
};

const codeOf = (issue: Issue, path: readonly PropertyKey[], input: unknown): IssueCode => {
  const own = issue.code === 'custom' ? issue.params?.code : undefined;
  if (isIssueCode(own)) return own;
  if (valueAt(input, path) === undefined) return 'required';
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'not_an_integer' : 'wrong_type';
    case 'too_big':
      return issue.origin === 'string' ? 'too_long' : isCounted(issue.origin) ? 'too_many' : 'too_large';
    case 'too_small':
      if (issue.origin === 'string') return 'text_format';
      if (isCounted(issue.origin)) return 'too_few';
      return issue.minimum === 0 ? (issue.inclusive === false ? 'not_positive' : 'negative') : 'too_small';
    case 'not_multiple_of':
      return 'not_an_integer';
    case 'invalid_format':
      return 'text_format';
    default:
      return 'not_allowed';
  }
};

const isCounted = (origin: string): boolean => origin === 'array' || origin === 'set' || origin === 'map' || origin === 'object';

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown => {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
};

const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((key) => `/${String(key).slice(0, 128).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
