import { z } from 'zod';
import { Complaint, type Reading } from './complaint.js';

/** JSON Schema keywords that describe what a reader accepts; `id` makes it a named component. */
export type JsonSchemaKeywords = Readonly<Record<string, unknown>>;

/** A schema whose value is read by a plain function, so that the hot path can call the same function without zod. */
export type Field<T> = z.ZodType<T, unknown>;

/** `read` never sees `undefined`: a missing key is `required` unless the field is made optional. */
export const field = <T>(keywords: JsonSchemaKeywords, read: (value: unknown) => Reading<T>): Field<T> =>
  z
    .unknown()
    .transform((value, context): T => {
      const reading = value === undefined ? new Complaint('required') : read(value);
      if (!(reading instanceof Complaint)) return reading;
      context.issues.push({
        code: 'custom',
        input: value,
        message: reading.message,
        params: { code: reading.code },
        path: [...reading.path],
      });
      return z.NEVER;
    })
    .meta({ ...keywords });

/** For `.refine`/`.check`: a stable code on a rule between fields. */
export const coded = (code: Complaint['code'], path: readonly (string | number)[], message?: string) => ({
  error: message ?? new Complaint(code).message,
  params: { code },
  path: [...path],
});

/** For `.superRefine`: a rule over several fields, as a plain function. */
export const obeying =
  <T>(rule: (value: T) => Complaint | readonly Complaint[] | null) =>
  (value: T, context: z.RefinementCtx): void => {
    const said = rule(value);
    for (const { code, message, path } of said === null ? [] : said instanceof Complaint ? [said] : said) {
      context.addIssue({ code: 'custom', input: value, message, params: { code }, path: [...path] });
    }
  };
