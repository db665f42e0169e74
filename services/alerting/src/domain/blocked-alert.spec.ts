import type { EventOf } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { blockedAlert } from './blocked-alert.js';
import { renderMessage } from './messages/render-message.js';

const money = (amount: string) => ({ amount, currency: 'EUR' });
const BUDGET = {
  budgetId: 'b-1',
  budgetName: 'AI monthly',
  scope: 'org:acme',
  periodStart: '2026-11-01T00:00:00Z',
  currentSpend: money('400'),
  reserved: money('0'),
  limit: money('1000'),
  blockPoint: money('1000'),
};
const NO_BUDGET = {
  budgetId: null,
  budgetName: null,
  scope: null,
  periodStart: null,
  currentSpend: null,
  reserved: null,
  limit: null,
  blockPoint: null,
};

/** Of things and parts that no list has a price of, asked for by a team; at a minute of one hour. */
const unpriced = (by: Partial<EventOf<'UsageRefused'>['data']>, minute = 0): EventOf<'UsageRefused'> => ({
  partition: 0,
  position: 7 + minute,
  stream: 'usage-acme',
  revision: 0,
  id: `refused-${minute}`,
  type: 'UsageRefused',
  recordedAt: '2026-11-26T10:00:00Z',
  meta: { tenant: 'acme' },
  data: {
    decisionId: `d-${minute}`,
    reservationId: null,
    scopes: ['team:ml'],
    amount: null,
    unpriced: ['things', 'parts'],
    code: 'price_missing',
    ...NO_BUDGET,
    ...by,
    refusedAt: `2026-11-26T10:${String(minute).padStart(2, '0')}:00Z`,
    count: 1,
    position: 6,
  },
});
const alertOf = (cause: EventOf<'UsageRefused'>) => blockedAlert(cause, { budget: null, standing: null, at: cause.recordedAt });
const textOf = (cause: EventOf<'UsageRefused'>, profile: 'default' | 'tenant' = 'default') =>
  renderMessage(alertOf(cause), 'text', { tenant: 'acme', profile });

test('a refusal says what is reserved, where anything is: that is why there is no room', () => {
  const { message } = alertOf(unpriced({ ...BUDGET, code: 'budget_exceeded', unpriced: [], amount: money('6'), reserved: money('596.5') }));
  expect(message).toBe('Blocked: 6 EUR refused, budget exceeded. Budget at 40.0% (400.0/1000.0 EUR), 596.5 EUR reserved');
});

describe('a refusal of what has no price', () => {
  test('names the budget that blocks, and no amount', () => {
    const alert = alertOf(unpriced(BUDGET));
    expect(alert).toMatchObject({
      event: 'call.blocked',
      type: 'BLOCKED',
      budgetId: 'b-1',
      scope: 'org:acme',
      message: 'Blocked: no price covers things, parts. Budget at 40.0% (400.0/1000.0 EUR)',
    });
    expect(alert.details.refused).toBeUndefined();
    expect(alert.details.unpriced).toEqual({ code: 'price_missing', units: ['things', 'parts'], scopes: ['team:ml'] });
    const { subject, text } = textOf(unpriced(BUDGET));
    expect(subject).toBe('Blocked by AI monthly');
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        'Budget: AI monthly (org:acme)',
        'Refused: things, parts, price missing',
        'Next step: Such calls are refused until prices cover what they ask for.',
        'Recommended: Set prices for things, parts',
      ]),
    );
  });

  test.each(['default', 'tenant'] as const)('says what has no price where no budget is why, in the words of profile %s', (profile) => {
    expect(textOf(unpriced({}), profile)).toEqual({
      subject: 'Blocked: no price covers things, parts',
      text: [
        'Blocked: no price covers things, parts',
        '',
        'Scope: team:ml',
        'Next step: Such calls are refused until prices cover what they ask for.',
        'Recommended: Set prices for things, parts. Or let the tenant allow what has no price (unpricedPolicy)',
      ].join('\n'),
    });
  });

  test('is one alert an hour, whichever of them comes first', () => {
    const ids = [unpriced({}), unpriced({}, 59), unpriced(BUDGET)].map((cause) => alertOf(cause).alertId);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });
});
