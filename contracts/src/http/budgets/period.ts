import { z } from 'zod';
import type { PeriodDefinition } from '../../events/budget.js';
import { parseInstant } from '../../values/instant.js';
import { wholeNumber } from '../fields/amount.js';
import { Complaint } from '../fields/complaint.js';
import { obeying } from '../fields/field.js';
import { compact, orAbsent, orDefault } from '../fields/nullish.js';
import { flag, oneOf } from '../fields/text.js';
import { durationText, instantText, timeZone } from '../fields/time.js';

const KINDS = ['daily', 'weekly', 'monthly', 'quarterly', 'annual', 'yearly', 'rolling', 'custom'] as const;

const Sent = z.strictObject({
  kind: oneOf(...KINDS),
  timezone: orDefault(timeZone, 'UTC').optional(),
  anchor: orAbsent(instantText),
  recurring: orAbsent(flag),
  length: orAbsent(durationText),
  start: orAbsent(instantText),
  end: orAbsent(instantText),
});
type Sent = z.infer<typeof Sent>;

/** A period as a request defines it; the stored definition inside (`yearly` is `annual`, a custom one happens once unless it says else). */
export const PeriodBody = Sent.superRefine(obeying(complaintOf)).transform(toDefinition).meta({ id: 'PeriodDefinition' });

/** Which fields go with which kind (API.md "Budgets"). */
function complaintOf({ kind, anchor, length, start, end }: Sent): Complaint | null {
  if (kind === 'rolling' && length === undefined) return new Complaint('required', 'A rolling period needs a length', ['length']);
  if (kind !== 'rolling' && length !== undefined) return new Complaint('exclusive', 'Only a rolling period has a length', ['length']);
  if (kind !== 'custom') {
    const spare = start !== undefined ? 'start' : end !== undefined ? 'end' : null;
    return spare === null ? null : new Complaint('exclusive', `Only a custom period has a ${spare}`, [spare]);
  }
  if (anchor !== undefined) return new Complaint('exclusive', 'A custom period is anchored by its start', ['anchor']);
  if (start === undefined) return new Complaint('required', 'A custom period needs a start', ['start']);
  if (end === undefined) return new Complaint('required', 'A custom period needs an end', ['end']);
  return parseInstant(start) < parseInstant(end) ? null : new Complaint('order', 'The end has to be after the start', ['end']);
}

function toDefinition({ kind, timezone = 'UTC', recurring, ...rest }: Sent): PeriodDefinition {
  return compact({ ...rest, kind: kind === 'yearly' ? 'annual' : kind, timezone, recurring: recurring ?? kind !== 'custom' });
}

/** `POST /periods/preview`. Without `at` it is now; `offset` moves the first period, `count` says how many follow. */
export const PeriodPreview = z
  .strictObject({
    period: PeriodBody,
    at: instantText.optional(),
    offset: wholeNumber(-10_000, 10_000).default(0),
    count: wholeNumber(1, 50).default(1),
  })
  .meta({ id: 'PeriodPreview' });
export type PeriodPreview = z.infer<typeof PeriodPreview>;
