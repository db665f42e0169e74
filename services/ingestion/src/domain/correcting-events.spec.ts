import { UsageRerated, UsageVoided, voidEventId } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { adjustmentEvent, voidEvent } from './correcting-events.js';

const usage = {
  id: 'f0e1d2c3-0000-8000-8000-000000000000',
  position: 41,
  revision: 7,
  recordedAt: '2026-03-01T00:00:00.000000Z',
  data: {
    id: 'u',
    source: 's',
    occurredAt: '2026-03-01T00:00:00Z',
    scopes: ['team:ml'],
    status: 'failed' as const,
    cost: { amount: '1.25', currency: 'USD' },
  },
};

describe('the event of a void', () => {
  test('carries the usage in full, as its schema says', () => {
    const { original, eventId, reason } = UsageVoided.data.parse(JSON.parse(voidEvent('acme', usage, 'twice').data));
    expect([eventId, reason]).toEqual([usage.id, 'twice']);
    expect(original).toEqual({ position: 41, revision: 7, recordedAt: usage.recordedAt, data: usage.data });
  });

  test('is the same event whatever the reason, and another one for another tenant', () => {
    const [first, again] = [voidEvent('acme', usage, 'twice'), voidEvent('acme', usage, 'wrong team')];
    expect([again.id, again.contentHash]).toEqual([first.id, first.contentHash]);
    expect(first.id).toBe(voidEventId('acme', usage.id));
    expect(voidEvent('globex', usage, 'twice').id).not.toBe(first.id);
  });
});

describe('the event of an adjustment', () => {
  const adjusted = (correctionId: string, amount = '0.5') =>
    adjustmentEvent('acme', usage, { correctionId, cost: { amount, currency: 'EUR' }, reason: 'a credit note' });

  test('carries the usage in full and both costs, as its schema says', () => {
    expect(UsageRerated.data.parse(JSON.parse(adjusted('r1').data))).toEqual({
      eventId: usage.id,
      correctionId: 'r1',
      cause: 'adjustment',
      reason: 'a credit note',
      previousCost: { amount: '1.25', currency: 'USD' },
      cost: { amount: '0.5', currency: 'EUR' },
      original: { position: 41, revision: 7, recordedAt: usage.recordedAt, data: usage.data },
    });
  });

  test('is the same for the same request, and another one for another', () => {
    expect([adjusted('r1').id, adjusted('r1').contentHash]).toEqual([adjusted('r1').id, adjusted('r1').contentHash]);
    expect(adjusted('r2').id).not.toBe(adjusted('r1').id);
  });
});
