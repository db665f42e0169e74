import type { LedgerEvent } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { type Budget, type BudgetEventType, decideBudget, evolveBudget, noBudget } from './budget.js';
import type { NewEvent } from './new-event.js';
import type { GrantOverride } from './override.js';
import { Rejection } from './rejection.js';

type BudgetEvent = NewEvent<BudgetEventType>;
const NOW = '2026-03-10T12:00:00Z';

const created: BudgetEvent = {
  type: 'BudgetCreated',
  data: {
    budgetId: 'b1',
    definition: {
      name: 'Monthly',
      scope: 'team:ml',
      limit: { amount: '1000', currency: 'EUR' },
      period: { kind: 'monthly', timezone: 'Europe/Berlin', recurring: true },
      thresholds: [],
      levels: {},
      enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
      rollover: { mode: 'none' },
      permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
      validFrom: null,
      validUntil: null,
      metadata: {},
    },
  },
};
const granted = (overrideId: string, amount = '100', expiresAt = '2026-03-20T00:00:00Z'): BudgetEvent => ({
  type: 'OverrideGranted',
  data: { budgetId: 'b1', overrideId, amount: { amount, currency: 'EUR' }, enforcement: null, expiresAt, reason: 'launch' },
});
const revoked = (overrideId: string): BudgetEvent => ({ type: 'OverrideRevoked', data: { budgetId: 'b1', overrideId } });

const given = (...history: BudgetEvent[]): Budget =>
  history
    .map((event, index) => ({ ...event, position: index + 1, recordedAt: '2026-03-10T11:00:00Z', meta: { tenant: 'acme', actor: 'ana' } }))
    .reduce((state, event) => evolveBudget(state, event as LedgerEvent), noBudget);

const grant = (more: Partial<GrantOverride> = {}): GrantOverride => ({
  type: 'GrantOverride',
  budgetId: 'b1',
  overrideId: 'o1',
  amount: { amount: '100' },
  enforcement: null,
  reason: 'launch',
  now: NOW,
  ...(more.expiresAt === undefined && { duration: '10d' }),
  ...more,
});
const revoke = (overrideId: string, now = NOW) => ({ type: 'RevokeOverride', budgetId: 'b1', overrideId, now }) as const;

/** The events, or code and pointer of the rejection. */
const outcome = (state: Budget, command: Parameters<typeof decideBudget>[0]): unknown => {
  try {
    return decideBudget(command, state);
  } catch (error) {
    if (error instanceof Rejection) return `${error.code} ${error.pointer ?? ''}`.trim();
    throw error;
  }
};

describe('granting an override', () => {
  test('records the grant in the budget’s currency, ending when the duration is over', () => {
    expect(outcome(given(created), grant())).toEqual([granted('o1', '100', '2026-03-20T12:00:00Z')]);
    expect(outcome(given(created), grant({ expiresAt: '2026-04-01T00:00:00Z' }))).toEqual([granted('o1', '100', '2026-04-01T00:00:00Z')]);
  });
  test('counts days by the wall clock of the budget’s zone', () => {
    // Berlin puts its clocks forward on the 29th: twenty days are an hour short of 20 × 24.
    expect(outcome(given(created), grant({ duration: '20d' }))).toMatchObject([{ data: { expiresAt: '2026-03-30T11:00:00Z' } }]);
    expect(outcome(given(created), grant({ duration: '480h' }))).toMatchObject([{ data: { expiresAt: '2026-03-30T12:00:00Z' } }]);
  });
  test('may switch enforcement off and raise nothing', () => {
    expect(outcome(given(created), grant({ amount: null, enforcement: 'off' }))).toMatchObject([
      { data: { amount: null, enforcement: 'off' } },
    ]);
  });
  test.each([
    ['has to end later than now', grant({ expiresAt: NOW }), 'order /expiresAt'],
    ['has to be in the budget’s currency', grant({ amount: { amount: '5', currency: 'USD' } }), 'currency /amount/currency'],
    ['cannot pass the largest amount', grant({ amount: { amount: '999999999999999999.5' } }), 'too_large /amount'],
  ])('%s', (_what, command, expected) => expect(outcome(given(created), command)).toBe(expected));
  test('is for a budget that is there', () => {
    expect(outcome(given(), grant())).toBe('not_found');
    expect(outcome(given(created, { type: 'BudgetDeleted', data: { budgetId: 'b1' } }), grant())).toBe('not_found');
  });
  test('ends at a hundred live ones; those that are over make room', () => {
    const many = Array.from({ length: 100 }, (_, index) => granted(`o${index}`, '1'));
    expect(outcome(given(created, ...many), grant())).toBe('too_many');
    expect(outcome(given(created, ...many), grant({ now: '2026-03-20T00:00:00Z' }))).toHaveLength(1);
  });
});

describe('revoking an override', () => {
  test('is recorded once', () => {
    expect(outcome(given(created, granted('o1')), revoke('o1'))).toEqual([revoked('o1')]);
    expect(outcome(given(created, granted('o1'), revoked('o1')), revoke('o1'))).toEqual([]);
  });
  test('changes nothing once it is over', () => {
    expect(outcome(given(created, granted('o1')), revoke('o1', '2026-03-20T00:00:00Z'))).toEqual([]);
  });
  test('needs one that was granted here', () => {
    expect(outcome(given(created, granted('o1')), revoke('o2'))).toBe('not_found');
    expect(outcome(given(), revoke('o1'))).toBe('not_found');
  });
  test('keeps the grant, with who revoked it', () => {
    const state = given(created, granted('o1'), revoked('o1'));
    expect(state).toMatchObject({
      grants: [{ overrideId: 'o1', revokedBy: 'ana', revokedAt: '2026-03-10T11:00:00Z' }],
      controls: { overrides: [] },
    });
  });
});
