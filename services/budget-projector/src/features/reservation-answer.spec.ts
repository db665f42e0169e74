import { parsePicos } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import type { Standing } from '../domain/check/standing.js';
import type { RefusedFor } from '../domain/refusal-event.js';
import { refusal } from './reservation-answer.js';

const MONTHLY = { kind: 'monthly', timezone: 'UTC', recurring: true };
const ONCE = { kind: 'custom', start: '1970-01-01T00:00:00Z', end: '1970-01-01T00:00:02Z' };

const BLOCK = { mode: 'block', blockAtPercent: 100, autoPause: false };

const refused = (code: RefusedFor, period: object) => {
  const definition = { name: 'B', scope: 'team:a', period, enforcement: BLOCK };
  const standing = {
    state: { budgetId: 'b', currency: 'USD', definition },
    period: { start: 0n, end: 2_000_000_000n },
    limit: parsePicos('10'),
    spend: parsePicos('10'),
    reserved: 0n,
    amount: parsePicos('1'),
  } as unknown as Standing;
  const question = { about: { scopes: ['team:a'] }, amount: parsePicos('1'), currency: 'USD' };
  const { detail, options } = refusal({ code, reason: 'Why.' }, { standing, tightest: standing }, question, {
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

test.each([
  ['is said at the end of the detail', true, 'Why.', ' Held: $2.00.'],
  ['is not said of a budget that its reader may not see', false, 'Budget exceeded.', ''],
])('what is held %s', (_, budgetVisibleToUser, why, end) => {
  const definition = { name: 'B', scope: 'team:a', period: MONTHLY, enforcement: BLOCK, permissions: { budgetVisibleToUser } };
  const standing = {
    state: { budgetId: 'b', currency: 'USD', definition },
    period: { start: 0n, end: 2_000_000_000n },
    limit: parsePicos('10'),
    spend: 0n,
    reserved: parsePicos('2'),
    amount: parsePicos('9'),
  } as unknown as Standing;
  const question = { about: { scopes: ['team:a'] }, amount: parsePicos('9'), currency: 'USD' } as const;
  const heard = { decisionId: 'd', position: '0:1', audience: 'user' } as const;
  const said = { code: 'budget_exceeded', reason: 'Why.', reserved: 'Held: $2.00.' } as const;
  const { detail } = refusal(said, { standing, tightest: standing }, question, heard);
  expect(detail).toBe(`${why} Contact your administrator to increase budget or wait for the reset.${end}`);
});

test('what has no price is said to whoever may not see the budget that has to know it, and nothing of that budget', () => {
  const standing = {
    state: {
      budgetId: 'b',
      currency: 'USD',
      definition: { name: 'Secret', scope: 'team:a', period: ONCE, enforcement: BLOCK, permissions: { budgetVisibleToUser: false } },
    },
    period: { start: 0n, end: 2_000_000_000n },
    limit: parsePicos('10'),
    spend: 0n,
    reserved: 0n,
    amount: 0n,
  } as unknown as Standing;
  const question = { about: { scopes: ['team:a'] }, amount: 0n, currency: 'USD', unpriced: ['things'] } as const;
  const heard = { decisionId: 'd', position: '0:1', audience: 'user' } as const;
  const { detail, options } = refusal(
    { code: 'price_missing', reason: 'No price covers: things.' },
    { standing, tightest: standing },
    question,
    heard,
  );
  const remediation = 'Contact your administrator to set prices for these units.';
  expect(detail).toBe(`No price covers these quantities. ${remediation}`);
  const extensions = { decisionId: 'd', category: null, unpriced: ['things'], resetAt: null, remediation, position: '0:1' };
  expect(options).toEqual({ extensions, headers: { 'bursar-position': '0:1' } });
});
