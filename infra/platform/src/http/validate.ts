import { type FieldError, parseWith } from '@bursar/contracts/http';
import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { Problem } from './problem.js';

/** What the schema makes of the value, or a 400 {@link Problem} that lists all that is wrong, each with an RFC 6901 pointer. */
export const validate = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> => {
  const parsed = parseWith(schema as z.ZodType<z.output<S>, unknown>, value);
  if (parsed.ok) return parsed.value;
  if (value === undefined) throw new Problem('empty_body');
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject && parsed.errors.some(({ pointer }) => pointer === '')) throw new Problem('not_an_object');
  throw invalid(parsed.errors);
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
