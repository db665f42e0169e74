import { describe, expect, test } from '@jest/globals';
import type { EventOf } from '../events/registry.js';
import { type EpochNs, parseInstant } from '../values/instant.js';
import {
  type BudgetControls,
  type ControlEvent,
  evolveControls,
  isEnforcementOff,
  liveIncrease,
  liveOverrides,
  NO_CONTROLS,
  nextExpiry,
} from './budget-controls.js';
import { budgetChanged, budgetCreated, given, recorded } from './given.js';

const DAY = (n: number): EpochNs => parseInstant(`2025-01-${String(n).padStart(2, '0')}T00:00:00Z`);
const granted = (position: number, until: number, more: Partial<EventOf<'OverrideGranted'>['data']> = {}): ControlEvent =>
  recorded('OverrideGranted', position, {
    budgetId: 'b',
    overrideId: `o-${position}`,
    amount: { amount: '100', currency: 'EUR' },
    enforcement: null,
    expiresAt: `2025-01-${String(until).padStart(2, '0')}T00:00:00Z`,
    reason: 'launch',
    ...more,
  });
const revoked = (position: number, of: number): ControlEvent =>
  recorded('OverrideRevoked', position, { budgetId: 'b', overrideId: `o-${of}` });
const paused = (position: number, reason: string | null = null): ControlEvent =>
  recorded('BudgetPaused', position, { budgetId: 'b', reason });
const resumed = (position: number): ControlEvent => recorded('BudgetResumed', position, { budgetId: 'b', reason: null });
const after = (...events: readonly ControlEvent[]): BudgetControls => events.reduce(evolveControls, NO_CONTROLS);
const ids = (controls: BudgetControls, now: EpochNs): readonly string[] => liveOverrides(controls, now).map(({ overrideId }) => overrideId);

describe('a pause', () => {
  test('lasts until it is resumed, and the first one stands', () => {
    expect(after(paused(1, 'audit'), paused(2, 'again')).pause).toEqual({ since: '2025-01-01T00:00:01Z', by: null, reason: 'audit' });
    expect(after(paused(1), resumed(2)).pause).toBeNull();
    expect(after(resumed(1)).pause).toBeNull();
  });
});

describe('overrides', () => {
  test('are live before they expire and no longer, without any event', () => {
    const controls = after(granted(1, 5));
    expect(ids(controls, DAY(5) - 1n)).toEqual(['o-1']);
    expect(ids(controls, DAY(5))).toEqual([]);
    expect(liveIncrease(controls, 'EUR', DAY(5))).toBe(0n);
  });
  test('add up, and the first to end is the next expiry', () => {
    const controls = after(granted(1, 9), granted(2, 5, { amount: { amount: '0.5', currency: 'EUR' } }));
    expect(liveIncrease(controls, 'EUR', DAY(4))).toBe(100_500_000_000_000n);
    expect(nextExpiry(controls, DAY(4))).toBe(DAY(5));
    expect(liveIncrease(controls, 'EUR', DAY(5))).toBe(100_000_000_000_000n);
    expect(nextExpiry(controls, DAY(5))).toBe(DAY(9));
    expect(nextExpiry(controls, DAY(9))).toBeNull();
  });
  test('of another currency increase nothing', () => expect(liveIncrease(after(granted(1, 9)), 'USD', DAY(2))).toBe(0n));
  test('end when they are revoked, the others stay', () => {
    const controls = after(granted(1, 9), granted(2, 9), revoked(3, 1));
    expect(ids(controls, DAY(2))).toEqual(['o-2']);
    expect(after(granted(1, 9), revoked(2, 7))).toEqual(after(granted(1, 9)));
  });
  test('may switch enforcement off instead', () => {
    const controls = after(granted(1, 9, { amount: null, enforcement: 'off' }));
    expect([isEnforcementOff(controls, DAY(8)), isEnforcementOff(controls, DAY(9))]).toEqual([true, false]);
    expect(liveIncrease(controls, 'EUR', DAY(8))).toBe(0n);
  });
  test('that ended are not carried along for ever', () => {
    // Position 864,000 is recorded ten days after the first of January.
    expect(after(granted(1, 5), granted(864_000, 20)).overrides.map(({ overrideId }) => overrideId)).toEqual(['o-864000']);
  });
});

test('a budget keeps both through a change, and each position has its own', () => {
  const definitions = given(budgetCreated(1, 'b'), paused(2), granted(3, 9), budgetChanged(4, 'b', { name: 'Other' }), resumed(5));
  const controlsAt = (position: number) => definitions.budgets.at('b', position)?.controls;
  expect(controlsAt(1)).toEqual(NO_CONTROLS);
  expect(controlsAt(4)).toMatchObject({ pause: { by: null }, overrides: [{ overrideId: 'o-3' }] });
  expect(controlsAt(5)).toMatchObject({ pause: null, overrides: [{ overrideId: 'o-3' }] });
  expect(definitions.budgets.at('b', 5)?.definedPosition).toBe(1);
});
