import { parseWith } from '../parse.js';
import { type FieldError, makeProblem, type Problem } from '../problem.js';
import { UsageEvent } from './event.js';
import { readUsageFast } from './fast.js';
import type { SentUsage } from './sent.js';

export type UsageReading = Readonly<{ ok: true; sent: SentUsage } | { ok: false; problem: Problem }>;

/** Reads one usage event: normalised and without defaults, or the problem for its `rejected`. Never throws. */
export const readUsageEvent = (value: unknown): UsageReading => {
  const quick = readUsageFast(value);
  if (quick !== undefined) return { ok: true, sent: quick };
  const parsed = parseWith(UsageEvent, value);
  return parsed.ok ? { ok: true, sent: parsed.value } : { ok: false, problem: problemOfErrors(parsed.errors) };
};

/** The problem whose code is the first error's. */
export const problemOfErrors = (errors: readonly FieldError[]): Problem => {
  const [first] = errors;
  if (first === undefined) return makeProblem('bad_request', 'The request is not valid');
  return makeProblem(first.code, `${first.pointer === '' ? '' : `${first.pointer}: `}${first.message}`, { errors: [...errors] });
};
