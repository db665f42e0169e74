import { parsePicos } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import type { Standing } from '../domain/check/standing.js';
import type { RefusedFor } from '../domain/refusal-event.js';
import { refusal } from './reservation-answer.js';

const MONTHLY = { kind: 'monthly', timezone: 'UTC', recurring: true };
const ONCE = { kind: 'custom', start: '1970-01-01T00:00:00Z', end: '1970-01-01T00:00:02Z' };

const refused = (code: RefusedFor, period: object) => {
  const definition = { name: 'B', scope: 'team:a', period, enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false } };
  const standing = {
    state: { budgetId: 'b', currency: 'USD', definition },
    period: { start: 0n, end: 2_000_000_000n },
    limit: parsePicos('10'),
    spend: parsePicos('10'),
    reserved: 0n,
    amount: parsePicos('1'),
  } as unknown as Standing;
  const question = { about: { scopes: ['team:a'] }, amount: parsePicos('1'), currency: 'USD' };
  const { detail, options } = refusal({ code, reason: 'Why.' }, standing, question, {
    decisionId: 'd',
    position: '0:1',
    audience: 'operator',
  });
  const { remediation, resetAt } = options.extensions ?? {};
  return { detail, remediation, resetAt };
};

test.each<[RefusedFor, object, string | null, string]>([
  ['budget_exceeded', MONTHLY, '1970-01-01T00:00:02Z', 'Contact your administrator to increase budget or wait for the reset.'],
  ['budget_exceeded', ONCE, null, 'Contact your administrator to increase budget.'],
  ['approval_required', MONTHLY, '1970-01-01T00:00:02Z', 'Ask for approval, or wait for the reset.'],
  ['approval_required', ONCE, null, 'Ask for approval.'],
  ['budget_paused', ONCE, null, 'Contact your administrator to resume the budget.'],
])('%s of %j that resets at %s: %s', (code, period, resetAt, remediation) => {
  expect(refused(code, period)).toEqual({ detail: `Why. ${remediation}`, remediation, resetAt });
});
