import type { AlertRaisedData } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { webhookBody } from './webhook-body.js';

const alert = (details: Partial<AlertRaisedData['details']> = {}): AlertRaisedData => ({
  alertId: 'a-1',
  event: 'threshold.crossed',
  type: 'CRITICAL',
  severity: 'critical',
  budgetId: 'b1',
  budgetName: 'AI',
  scope: 'team:ml',
  message: 'Critical',
  details: {
    currency: 'EUR',
    currentSpend: '950',
    limit: '1000',
    percentUsed: '95.00',
    periodStart: '2026-11-01T00:00:00Z',
    periodEnd: '2026-12-01T00:00:00Z',
    timezone: 'Europe/Berlin',
    blockPoint: '1100',
    next: null,
    ...details,
  },
  source: 'bursar',
  causePosition: 1,
  at: '2026-11-26T00:00:00Z',
});

test('says the figures as decimal text, and the threshold as its number', () => {
  expect(JSON.parse(webhookBody('acme', alert({ percent: '95', actions: ['notify'] })))).toEqual({
    type: 'threshold.crossed',
    timestamp: '2026-11-26T00:00:00Z',
    data: expect.objectContaining({ tenant: 'acme', alertId: 'a-1', percent: 95, currentSpend: '950', resetAt: '2026-12-01T00:00:00Z' }),
  });
});

test('a one-off budget ends, and resets never', () => {
  const { data } = JSON.parse(webhookBody('acme', alert({ oneOff: true })));
  expect(data).toMatchObject({ periodEnd: '2026-12-01T00:00:00Z', resetAt: null, oneOff: true });
});

test('an alert of no budget says so', () => {
  const { data } = JSON.parse(webhookBody('acme', { ...alert(), budgetId: null, budgetName: null, scope: null }));
  expect(data).toMatchObject({ budget: null, actions: [] });
  expect(data).not.toHaveProperty('percent');
});

test('is never longer than 20 KB: lists of models go first', () => {
  const allowedModels = Array.from({ length: 100 }, (_, index) => `model-${index}-${'é'.repeat(240)}`);
  const body = webhookBody('acme', alert({ percent: '95', actions: ['restrict-models'], allowedModels }));
  expect(Buffer.byteLength(body)).toBeLessThan(20 * 1024);
  expect(JSON.parse(body).data).toMatchObject({ truncated: true, actions: ['restrict-models'], alertId: 'a-1' });
});
