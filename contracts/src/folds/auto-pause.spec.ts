import { describe, expect, test } from '@jest/globals';
import { type EpochNs, parseInstant } from '../values/instant.js';
import { type BreakerInput, stepBreaker } from './auto-pause.js';
import { automaticPause, type ControlEvent, evolveControls, isPaused, NO_CONTROLS } from './budget-controls.js';
import { BUDGET, recorded } from './given.js';

const day = (n: number): EpochNs => parseInstant(`2025-01-${String(n).padStart(2, '0')}T00:00:00Z`);
const latched = (position: number, from: number): ControlEvent =>
  recorded('BudgetPaused', position, {
    budgetId: 'b',
    reason: null,
    automatic: {
      periodStart: `2025-01-0${from}T00:00:00Z`,
      periodEnd: `2025-01-0${from + 1}T00:00:00Z`,
      episode: 1,
      spend: '110',
      blockPoint: '110',
      causePosition: position - 1,
    },
  });
const paused = (position: number): ControlEvent => recorded('BudgetPaused', position, { budgetId: 'b', reason: 'audit' });
const resumed = (position: number, from?: number): ControlEvent =>
  recorded('BudgetResumed', position, {
    budgetId: 'b',
    reason: null,
    ...(from !== undefined && { automatic: { periodStart: `2025-01-0${from}T00:00:00Z` } }),
  });
const after = (...events: readonly ControlEvent[]) => events.reduce(evolveControls, NO_CONTROLS);

describe('an automatic pause', () => {
  test('ends with its period by the clock, without an event', () => {
    const controls = after(latched(1, 1));
    expect(isPaused(controls, day(2) - 1n)).toBe(true);
    expect(isPaused(controls, day(2))).toBe(false);
  });
  test('is lifted by hand, together with one by hand; one by hand survives the period', () => {
    expect(after(latched(1, 1), paused(2), resumed(3))).toEqual(NO_CONTROLS);
    expect(isPaused(after(latched(1, 1), paused(2)), day(9))).toBe(true);
  });
  test('is lifted automatically for its own period only', () => {
    expect(automaticPause(after(latched(1, 2), resumed(2, 1)), day(2))).not.toBeNull();
    expect(after(latched(1, 2), resumed(2, 2))).toEqual(NO_CONTROLS);
    expect(after(paused(1), latched(2, 2), resumed(3, 2)).pause).not.toBeNull();
  });
  test('of the same period says nothing more; of the next it takes the place of the first', () => {
    expect(after(latched(1, 1), latched(5, 1))).toEqual(after(latched(1, 1)));
    expect(after(latched(1, 1), latched(5, 2)).automatic?.periodStart).toBe('2025-01-02T00:00:00Z');
  });
});

describe('the breaker', () => {
  const input = (spend: bigint, more: Partial<BreakerInput> = {}): BreakerInput => ({
    definition: { ...BUDGET, enforcement: { mode: 'block', blockAtPercent: 110, autoPause: true } },
    controls: NO_CONTROLS,
    limit: 100n,
    period: { start: day(1), end: day(2) },
    spend,
    now: day(1),
    ...more,
  });
  const armed = { crossed: false, episode: 1 };
  const tripped = { crossed: true, episode: 1 };

  test('trips at exactly the block point, and with a limit of zero at any spend', () => {
    expect(stepBreaker(input(109n), armed)).toBeNull();
    expect(stepBreaker(input(110n), armed)).toEqual({ state: tripped, trips: true });
    expect(stepBreaker(input(0n, { limit: 0n }), armed)).toBeNull();
    expect(stepBreaker(input(1n, { limit: 0n }), armed)).toEqual({ state: tripped, trips: true });
    expect(stepBreaker(input(10n ** 30n, { limit: null }), armed)).toBeNull();
  });
  test('trips once per episode, and a fall begins the next', () => {
    expect(stepBreaker(input(500n), tripped)).toBeNull();
    expect(stepBreaker(input(109n), tripped)).toEqual({ state: { crossed: false, episode: 2 }, trips: false });
  });
  test('says nothing while its pause holds already', () => {
    const controls = after(latched(1, 1));
    expect(stepBreaker(input(110n, { controls }), { crossed: false, episode: 2 })).toEqual({
      state: { crossed: true, episode: 2 },
      trips: false,
    });
  });
  test.each([
    ['notifies', { mode: 'notify' as const, blockAtPercent: 110, autoPause: true }],
    ['is off', { mode: 'off' as const, blockAtPercent: 110, autoPause: true }],
    ['has no such flag', { mode: 'block' as const, blockAtPercent: 110, autoPause: false }],
  ])('never trips where the budget %s', (_, enforcement) => {
    expect(stepBreaker(input(500n, { definition: { ...BUDGET, enforcement } }), armed)).toBeNull();
  });
});
